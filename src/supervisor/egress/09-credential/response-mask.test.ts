/** Secrets in responses: what the sandbox gets of an upstream that repeats what it was sent. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { ByteReader } from "../../../net/byte-reader.ts";
import { compilePolicy } from "../../../policy/compile.ts";
import { parsePolicy } from "../../../policy/parse.ts";
import { loaded } from "../../../policy/test-support/arbitrary-policy.ts";
import { readBody } from "../10-forward/body.ts";
import { LoopbackWorld } from "../test-support/loopback-world.ts";
import { Credentials } from "./credentials.ts";
import { maskedBodyBytes, ResponseMask } from "./response-mask.ts";

const placeholder = "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const secret = 'real/secret"+é of the service';
const attached = (port: number) =>
  new Credentials({
    credentials: [
      { provider: "hub", key: "TOKEN", placeholder, secret, endpoints: [{ host: "upstream.invalid", port, path: "" }] },
    ],
  });

/** One request through the proxy, over an endpoint that masks, and what the upstream was asked. */
async function ask(answer: string | Buffer, fields = ""): Promise<{ readonly got: string; readonly heard: string }> {
  await using world = new LoopbackWorld();
  let heard = "";
  const port = await world.listen((socket) => {
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => {
      heard += piece.toString("latin1");
      if (!heard.endsWith("\r\n\r\n")) return;
      // In two pieces, cut in the middle of what it has to say.
      const bytes = Buffer.from(answer);
      socket.write(bytes.subarray(0, bytes.length - 12));
      setTimeout(() => socket.end(bytes.subarray(bytes.length - 12)), 10);
    });
  });
  const endpoint = `{ host: upstream.invalid, port: ${port}, protocol: rest, access: full, mask_credentials: true }`;
  const text = `{ version: 1, network_policies: { test: { endpoints: [${endpoint}], binaries: [{ path: any }] } } }`;
  world.policy = compilePolicy(loaded(parsePolicy(text)), { version: 1, hash: "" });
  world.credentials = attached(port);
  const client = await world.connect(await world.proxy());
  const authority = `upstream.invalid:${port}`;
  client.say(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await client.until(/^HTTP\/1\.1 200 .*\r\n\r\n/);
  client.say(`GET / HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n${fields}\r\n`);
  return { got: await client.until(/(bye|\}\n)$/), heard };
}

describe("a response on an endpoint that masks credentials", () => {
  it("is asked for as it is and whole, and has the placeholder where the upstream echoed the secret", async () => {
    const body = JSON.stringify({ token: secret, bye: "bye" }).slice(0, -2);
    const { got, heard } = await ask(
      `HTTP/1.1 200 OK\r\nX-Url: /?key=${encodeURIComponent(secret)}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      `Authorization: Bearer ${placeholder}\r\nAccept-Encoding: gzip, br\r\nRange: bytes=0-5\r\n`,
    );
    assert.ok(heard.includes(Buffer.from(`Bearer ${secret}`).toString("latin1")));
    assert.match(heard, /\r\nAccept-Encoding: identity\r\n/);
    assert.doesNotMatch(heard, /gzip|range/i);
    assert.ok(got.includes(`X-Url: /?key=${placeholder}\r\n`), got);
    assert.ok(got.endsWith(`{"token":"${placeholder}","bye":"bye`), got);
  });

  it("may be chunked, or end with its connection", async () => {
    const size = Buffer.byteLength(`${secret} bye`).toString(16);
    const chunked = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${secret} bye\r\n0\r\n\r\n`;
    for (const answer of [chunked, `HTTP/1.1 200 OK\r\n\r\n${secret} bye`]) {
      const { got } = await ask(answer);
      assert.ok(got.endsWith(`\r\nContent-Length: 44\r\nConnection: close\r\n\r\n${placeholder} bye`), got);
    }
  });

  const zipped = gzipSync(secret);
  const unsearchable: readonly (readonly [what: string, answer: Buffer])[] = [
    ["longer than what is held", Buffer.from(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(maskedBodyBytes + 1)}`)],
    [
      "longer by its own word",
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${maskedBodyBytes + 1}\r\n\r\nxxxxxxxxxxxxx`),
    ],
    [
      "compressed",
      Buffer.concat([
        Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${zipped.length}\r\n\r\n`),
        zipped,
      ]),
    ],
    ["a part", Buffer.from("HTTP/1.1 206 Partial Content\r\nContent-Length: 13\r\n\r\nreal/secret!!")],
  ];
  for (const [what, answer] of unsearchable) {
    it(`is refused if it is ${what}`, async () => {
      const { got } = await ask(answer);
      assert.match(got, /^HTTP\/1\.1 502 [\s\S]*X-OpenShell-Reason: credential\.unmaskable/i);
    });
  }

  it("says nothing of the secret within Basic credentials, whoever the user is", () => {
    const mask = new ResponseMask(attached(443));
    for (const user of ["", "m", "me", "you"]) {
      const masked = mask.text(Buffer.from(`${user}:${secret}`).toString("base64"));
      assert.match(masked, /\*{30,}/);
      assert.doesNotMatch(Buffer.from(masked.replaceAll("*", "A"), "base64").toString("latin1"), /real|secret|service/);
    }
  });

  it("is masked in the same way in whatever pieces it comes, and is otherwise what it was", async () => {
    const mask = new ResponseMask(attached(443));
    const part = fc.oneof(fc.constant(Buffer.from(secret)), fc.uint8Array({ maxLength: 40 }).map(Buffer.from));
    const property = fc.asyncProperty(
      fc.array(part, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      async (parts, cuts) => {
        const stream = new PassThrough();
        const reading = readBody(new ByteReader(stream), { kind: "chunked" }, maskedBodyBytes);
        let rest = Buffer.concat(parts);
        for (let at = 0; rest.length > 0; at++) {
          const chunk = rest.subarray(0, cuts[at % cuts.length]);
          rest = rest.subarray(chunk.length);
          stream.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]));
        }
        stream.end("0\r\n\r\n");
        const body = await reading;
        assert.ok(Buffer.isBuffer(body));
        const wanted = parts.map((each) => (each.equals(Buffer.from(secret)) ? Buffer.from(placeholder) : each));
        assert.deepEqual(mask.body(body), Buffer.concat(wanted));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});
