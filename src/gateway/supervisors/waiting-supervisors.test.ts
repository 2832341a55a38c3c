import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { readOpeningLine } from "../../net/opening-line.ts";
import { createCertificateAuthority, issueLeaf, privateKeyPem } from "../../net/x509/certificate-authority.ts";
import { awaitOrders, type Summons } from "../../supervisor/await-orders.ts";
import type { LaunchSpec, Preparation } from "../../supervisor/launch-spec.ts";
import { WaitingSupervisors } from "./waiting-supervisors.ts";

const preparation = { sandboxId: "s" } as Preparation;
const spec = { sandboxId: "s", sandboxName: "named" } as LaunchSpec;

describe("a supervisor that waits for its orders elsewhere", () => {
  let server: Server;
  let authority: string;
  let waiting: WaitingSupervisors;
  const sockets = new Set<TLSSocket>();

  before(async () => {
    const validity = { now: new Date(), days: 1 };
    const issuer = createCertificateAuthority({ commonName: "gateway", organization: "test" }, validity);
    const leaf = issueLeaf(issuer, {
      subject: { commonName: "g" },
      usage: "server",
      validity,
      dnsNames: ["localhost"],
    });
    authority = issuer.pem;
    server = createServer({ key: privateKeyPem(leaf.key), cert: leaf.pem, allowHalfOpen: true }, (socket) => {
      sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
      readOpeningLine(socket, { maxBytes: 1024, timeoutMs: 10_000 }, (line) => {
        const { orders } = JSON.parse(line) as { orders: { pod: string; token: string } };
        if (!waiting.arrived(orders.pod, orders.token, socket)) socket.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  beforeEach(() => {
    waiting = new WaitingSupervisors();
  });

  const summons = (token: string, pod = "pod"): Summons => {
    const { port } = server.address() as AddressInfo;
    return { host: "127.0.0.1", port, authority, pod, token };
  };

  it("is told where it works at once, and what the sandbox is when somebody wants it", async () => {
    const expected = waiting.expect("pod", preparation);
    const orders = awaitOrders(summons(expected.token));
    assert.deepEqual((await orders.next()).value, preparation);
    await expected.arrived;
    const next = orders.next();
    expected.launch(spec);
    assert.deepEqual((await next).value, spec);
    assert.equal((await orders.next()).done, true);
  });

  it("dials again when its connection breaks, and hears what it has not heard, once", async () => {
    const expected = waiting.expect("pod", preparation);
    const orders = awaitOrders(summons(expected.token));
    await orders.next();
    const next = orders.next();
    for (const socket of sockets) socket.destroy();
    expected.launch(spec);
    assert.deepEqual((await next).value, spec);
  });

  it("is nobody's who shows another pod's token, or one that is not wanted any more", async () => {
    const mine = waiting.expect("pod", preparation);
    const other = waiting.expect("other", preparation);
    const ended = waiting.expect("ended", preparation);
    ended.forget();
    const tried = [
      summons(other.token),
      summons(mine.token, "other"),
      summons(ended.token, "ended"),
      summons("", "pod"),
    ];
    for (const { pod, token } of tried) assert.equal(waiting.arrived(pod, token, undefined as never), false);
  });
});
