/** HTTP/1.1 connections: a forgiving origin sees exactly the requests that were decided. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { LoopbackWorld, noRule } from "../../src/supervisor/egress/test-support/loopback-world.ts";
import { smugglingCorpus } from "../../src/supervisor/egress/test-support/smuggling-corpus.ts";
import { asBuffers, type FuzzTarget } from "../target.ts";

const authority = "upstream.invalid";

export const request: FuzzTarget = {
  name: "request",
  seeds: asBuffers(smugglingCorpus.map(({ bytes }) => bytes.replaceAll("HOST", authority))),
  tokens: [
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    "0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\n",
    "Connection: close\r\n",
    "Expect: 100-continue\r\n",
    "Host: x\r\n",
    "GET /hidden HTTP/1.1\r\n",
    " HTTP/1.1",
    "chunked",
    "5;",
  ],
  async check(input) {
    const seen: string[] = [];
    const decided: string[] = [];
    await using world = new LoopbackWorld({
      request: ({ method, path }) => {
        if (path !== "/open") return noRule;
        decided.push(`${method} ${path}`);
        return undefined;
      },
    });
    const origin = createServer({ insecureHTTPParser: true }, (message, response) => {
      text(message).then(
        () => {
          seen.push(`${message.method} ${message.url?.split("?")[0]}`);
          response.end();
        },
        () => response.destroy(),
      );
    });
    const port = await world.listen((socket) => origin.emit("connection", socket));
    const client = await world.connect(await world.proxy());
    client.say(`CONNECT ${authority}:${port} HTTP/1.1\r\nHost: ${authority}:${port}\r\n\r\n`);
    await client.until(/^HTTP\/1\.1 200 .*\r\n\r\n/);
    client.socket.write(input);
    client.socket.end();
    await client.untilClosed();
    // A request that breaks off was decided, and is none to the origin; it is the last one.
    assert.deepEqual(seen, decided.slice(0, seen.length));
    assert.ok(decided.length - seen.length <= 1);
    assert.deepEqual(world.defects, []);
  },
};
