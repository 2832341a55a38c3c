/**
 * Every case of the smuggling corpus through the proxy, to an origin that forgives as much as Node's parser can be made to.
 * What that origin took for requests must be what was decided: no more, no fewer, with the same method, path and body.
 */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { LoopbackWorld, noRule } from "../../test-support/loopback-world.ts";
import { smugglingCorpus } from "../../test-support/smuggling-corpus.ts";
import { type SeenRequest, tunnelledExchange } from "../../test-support/tunnelled-exchange.ts";

/** An origin that remembers the requests that came whole. */
function forgivingOrigin(seen: SeenRequest[]): Server {
  return createServer({ insecureHTTPParser: true }, (request, response) => {
    text(request).then(
      (body) => {
        seen.push({ method: request.method, path: request.url, bodyBytes: Buffer.byteLength(body) });
        response.end("ok");
      },
      // Broken off: that was no request.
      () => response.destroy(),
    );
  });
}

/** Sends bytes through the proxy; gives what the origin saw, what was decided, and what came back. */
async function send(bytes: string) {
  const seen: SeenRequest[] = [];
  const allowed: SeenRequest[] = [];
  await using world = new LoopbackWorld({
    request: ({ method, path }) => {
      if (path === "/hidden") return noRule;
      allowed.push({ method, path, bodyBytes: 0 });
      return undefined;
    },
  });
  const origin = forgivingOrigin(seen);
  const port = await world.listen((socket) => origin.emit("connection", socket));
  return { seen, ...(await tunnelledExchange(world, { port, bytes, allowed })) };
}

describe("of a request that hides another", () => {
  for (const { name, bytes, expect } of smugglingCorpus) {
    it(`the origin sees what was decided (${expect}): ${name}`, async () => {
      const { seen, decided, received } = await send(bytes);
      assert.ok(!seen.some(({ path }) => path?.includes("hidden")));
      if (expect === "refused") {
        assert.deepEqual(seen, []);
        assert.doesNotMatch(received, /^HTTP\/1\.1 2/);
      } else {
        assert.equal(seen.length, 1);
        assert.deepEqual(seen, decided);
        assert.match(received, /^HTTP\/1\.1 200 /);
        assert.equal(received.match(/HTTP\/1\.1 200/g)?.length, 1);
      }
    });
  }
});
