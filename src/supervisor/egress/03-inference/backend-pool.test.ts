import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { createServer, type SecureContext, type TLSSocket } from "node:tls";
import { canonicalHost } from "../../../net/canonical-host.ts";
import { UpstreamProxies } from "../05-guard/upstream-proxies.ts";
import { UpstreamTrust } from "../07-terminate/trust-bundle.ts";
import { isRefusal } from "../connection.ts";
import { authority } from "../test-support/inference-world.ts";
import { type BackendConnection, BackendPool } from "./backend-pool.ts";

function showLeaf(name: string, show: (error: Error | null, context: SecureContext) => void): void {
  const named = canonicalHost(name);
  assert.ok(named.ok);
  show(null, authority.contextFor(named.host));
}

describe("connections to backends", () => {
  it("are kept for the next call, and a new one resumes the TLS session of an older", async () => {
    const accepted: TLSSocket[] = [];
    await using server = createServer({ SNICallback: showLeaf }, (socket) => void accepted.push(socket));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
    const stop = new AbortController();
    const pool = new BackendPool({
      trust: new UpstreamTrust(() => authority.pem),
      resolver: async () => [{ text: "127.0.0.1", family: 4 }],
      proxies: new UpstreamProxies({ proxies: {}, noProxy: [], resolve: "local", clientCertificates: [] }),
      signal: stop.signal,
    });
    const take = async (fresh: boolean): Promise<BackendConnection> => {
      const taken = await pool.take(url, { timeoutMs: 5000, signal: stop.signal, fresh });
      if (isRefusal(taken)) assert.fail(taken.detail);
      return taken;
    };
    const first = await take(false);
    await once(first.socket, "session");
    pool.giveBack(first);
    const again = await take(false);
    const isSame = again.socket === first.socket;
    const [second] = await Promise.all([take(true), once(server, "secureConnection")]);
    for (const { socket } of [again, second]) socket.destroy();
    assert.ok(isSame);
    assert.deepEqual(
      accepted.map((socket) => socket.isSessionReused()),
      [false, true],
    );
  });
});
