/**
 * What passes the inspection is read again by servers of other makers. The corpora of smuggling attempts and of path
 * spellings go through ours and then through nginx, haproxy and squid to an origin: what the origin saw must be what was
 * decided, and the folder that the policy denies must stay unseen.
 *
 * Needs Debian's nginx-light, haproxy and squid-openssl.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { compilePolicy } from "../../src/policy/compile.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import { loaded } from "../../src/policy/test-support/arbitrary-policy.ts";
import { bypassPaths } from "../../src/policy/test-support/bypass-paths.ts";
import type { CompiledPolicy } from "../../src/policy/verdict.ts";
import { LoopbackWorld } from "../../src/supervisor/egress/test-support/loopback-world.ts";
import { smugglingCorpus } from "../../src/supervisor/egress/test-support/smuggling-corpus.ts";
import { type SeenRequest, tunnelledExchange } from "../../src/supervisor/egress/test-support/tunnelled-exchange.ts";
import { type FrontName, type FrontServer, frontKinds, missing, startFront } from "../support/front-servers.ts";

/** An origin that remembers the requests that came whole. */
class Origin {
  seen: SeenRequest[] = [];
  readonly server: Server = createServer((request, response) => {
    text(request).then(
      (body) => {
        this.seen.push({ method: request.method, path: request.url, bodyBytes: Buffer.byteLength(body) });
        response.end("ok");
      },
      () => response.destroy(),
    );
  });

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function policyFor(port: number): CompiledPolicy {
  const rules = `
version: 1
network_policies:
  front:
    endpoints:
      - host: upstream.invalid
        port: ${port}
        protocol: rest
        access: full
        allow_encoded_slash: true
        deny_rules: [{ method: "*", path: "/admin/**" }, { method: "*", path: /hidden }]
    binaries: [{ path: any }]
`;
  return compilePolicy(loaded(parsePolicy(rules)), { version: 1, hash: "" });
}

/** The same policy, which notes the requests that it allows. */
function recording(policy: CompiledPolicy, allowed: SeenRequest[]): CompiledPolicy {
  return {
    ...policy,
    request: (endpoints, facts) => {
      const verdict = policy.request(endpoints, facts);
      if (verdict.kind === "allow") allowed.push({ method: facts.method, path: facts.path, bodyBytes: 0 });
      return verdict;
    },
  };
}

describe("what another reader makes of what was forwarded", () => {
  let firstPort = 18080;
  for (const name of Object.keys(frontKinds) as FrontName[]) {
    describe(`behind ${name}`, { skip: missing(name) }, () => {
      const origin = new Origin();
      let front: FrontServer | undefined;

      before(async () => {
        front = await startFront(name, { own: firstPort++, origin: await origin.listen() });
      });
      after(async () => {
        await front?.[Symbol.asyncDispose]();
        await origin.close();
      });

      /** Sends bytes through the proxy to the front; gives what was decided, what the origin saw, what came back. */
      async function send(bytes: string) {
        assert.ok(front);
        origin.seen = [];
        const allowed: SeenRequest[] = [];
        await using world = new LoopbackWorld();
        world.policy = recording(policyFor(front.port), allowed);
        return await tunnelledExchange(world, { port: front.port, bytes, allowed });
      }

      for (const { name: what, bytes, expect } of smugglingCorpus) {
        it(`is what was decided (${expect}): ${what}`, async () => {
          const { decided, received } = await send(bytes);
          assert.ok(!origin.seen.some(({ path }) => path?.includes("hidden")));
          if (expect === "refused") {
            assert.deepEqual(origin.seen, []);
            assert.doesNotMatch(received, /^HTTP\/1\.1 2/);
            return;
          }
          assert.match(received, /^HTTP\/1\.[01] \d+ /);
          // The other reader may have more to refuse, but nothing to add.
          if (origin.seen.length > 0) assert.deepEqual(origin.seen, decided);
        });
      }

      for (const path of new Set(bypassPaths)) {
        it(`is not what is denied, in the spelling ${JSON.stringify(path)}`, async () => {
          const { received } = await send(`GET ${path} HTTP/1.1\r\nHost: HOST\r\n\r\n`);
          assert.doesNotMatch(received, /administration/);
          assert.ok(!origin.seen.some((request) => request.path?.includes("admin")));
        });
      }

      it("is an honest request that was allowed", async () => {
        const { received } = await send("GET /open HTTP/1.1\r\nHost: HOST\r\n\r\n");
        assert.match(received, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n/);
        assert.deepEqual(origin.seen, [{ method: "GET", path: "/open", bodyBytes: 0 }]);
      });
    });
  }
});
