/** Placeholders on the whole path of a request, as its upstream gets it. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { compilePolicy } from "../../../policy/compile.ts";
import { parsePolicy } from "../../../policy/parse.ts";
import { loaded } from "../../../policy/test-support/arbitrary-policy.ts";
import { LoopbackWorld, type TestClient } from "../test-support/loopback-world.ts";
import { Credentials } from "./credentials.ts";

const placeholder = "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const secret = 'real/secret"+';
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Scene extends AsyncDisposable {
  readonly world: LoopbackWorld;
  readonly client: TestClient;
  /** What the client was answered when it asked for a tunnel. */
  readonly tunnel: string;
  /** What the upstream got since the last request began. */
  readonly heard: () => string;
  /** Sends a request and gives the answer. */
  readonly ask: (line: string, fields?: string, body?: string) => Promise<string>;
}

interface Stage {
  /** Of the endpoint, besides host and port. */
  readonly endpoint?: string;
  /** Where the credential may go. Default: the upstream, every path. */
  readonly bound?: { readonly host?: string; readonly path?: string };
  readonly expiresAtMs?: string;
}

async function stage({
  endpoint = "protocol: rest, access: full",
  bound = {},
  expiresAtMs = "0",
}: Stage = {}): Promise<Scene> {
  const world = new LoopbackWorld();
  let heard = "";
  const port = await world.listen((socket: Socket) => {
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => {
      heard += piece.toString("latin1");
      const [, length = "0"] = /content-length: (\d+)/i.exec(heard) ?? [];
      const end = heard.indexOf("\r\n\r\n");
      if (end !== -1 && heard.length - end - 4 >= Number(length)) socket.write(ok, "latin1");
    });
  });
  const rule = `{ host: upstream.invalid, port: ${port}, ${endpoint} }`;
  const text = `{ version: 1, network_policies: { test: { endpoints: [${rule}], binaries: [{ path: any }] } } }`;
  world.policy = compilePolicy(loaded(parsePolicy(text)), { version: 1, hash: "" });
  const { host = "upstream.invalid", path = "" } = bound;
  const credential = {
    provider: "hub",
    key: "TOKEN",
    placeholder,
    secret,
    expiresAtMs,
    endpoints: [{ host, port, path }],
  };
  world.credentials = new Credentials({ credentials: [credential] });
  const client = await world.connect(await world.proxy());
  const authority = `upstream.invalid:${port}`;
  client.say(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const tunnel = await client.until(/^HTTP\/1\.1 (200 .*\r\n\r\n|[^2][\s\S]*\}\n)/);
  return {
    world,
    client,
    tunnel,
    heard: () => heard,
    ask: (line, fields = "", body = "") => {
      heard = "";
      const length = body === "" || fields.includes("chunked") ? "" : `Content-Length: ${body.length}\r\n`;
      client.say(`${line} HTTP/1.1\r\nHost: ${authority}\r\n${fields}${length}\r\n${body}`);
      return client.until(/HTTP\/1\.1 \d+ [\s\S]*(ok|\}\n)$/);
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

describe("a placeholder on its way to where its credential belongs", () => {
  it("becomes the secret in a field, in Basic credentials, in the query and in a path segment", async () => {
    await using scene = await stage();
    await scene.ask("GET /", `Authorization: token ${placeholder}\r\nX-Other: kept\r\n`);
    assert.match(scene.heard(), /Authorization: token real\/secret"\+\r\nX-Other: kept\r\n/);
    const basic = (text: string) => Buffer.from(text).toString("base64");
    await scene.ask("GET /", `Authorization: Basic ${basic(`user:${placeholder}`)}\r\n`);
    assert.ok(scene.heard().includes(`Authorization: Basic ${basic(`user:${secret}`)}\r\n`));
    await scene.ask(`GET /bot${placeholder}/send?key=openshell%3Aresolve%3Aenv%3ATOKEN&a=b`);
    const encoded = encodeURIComponent(secret);
    assert.ok(scene.heard().startsWith(`GET /bot${encoded}/send?key=${encoded}&a=b HTTP/1.1\r\n`), scene.heard());
    await scene.ask("GET /", "X-Key: xoxb-OPENSHELL-RESOLVE-ENV-TOKEN\r\n");
    assert.match(scene.heard(), /X-Key: real\/secret"\+\r\n/);
  });

  it("is what is on record, and never the secret", async () => {
    await using scene = await stage();
    await scene.ask(`GET /bot${placeholder}/x?key=${placeholder}`);
    const record = scene.world.audit.events.join("\n");
    assert.doesNotMatch(record, /real\/secret|ghp_a/);
    assert.match(record, /bot\[credential\]/);
  });

  it("becomes the secret in a body where the endpoint says so, in the body's own spelling", async () => {
    await using scene = await stage({
      endpoint: "protocol: rest, access: full, request_body_credential_rewrite: true",
    });
    const bodyOf = () => scene.heard().slice(scene.heard().indexOf("\r\n\r\n") + 4);
    await scene.ask("POST /", "Content-Type: application/json\r\n", JSON.stringify({ token: placeholder }));
    assert.deepEqual(JSON.parse(bodyOf()), { token: secret });
    await scene.ask("POST /", "Content-Type: application/x-www-form-urlencoded\r\n", `a=1&token=${placeholder}`);
    assert.equal(new URLSearchParams(bodyOf()).get("token"), secret);
    const half = placeholder.length >> 1;
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const chunks = `${chunk(placeholder.slice(0, half))}${chunk(placeholder.slice(half))}0\r\n\r\n`;
    await scene.ask("POST /", "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n", chunks);
    assert.equal(bodyOf(), secret);
    const large = await scene.ask(
      "POST /",
      "Content-Type: application/json\r\n",
      JSON.stringify({ a: "x".repeat(300_000) }),
    );
    assert.match(large, /413 [\s\S]*inspect\.too_large/);
  });

  it("stays what it is in a body where the endpoint says nothing", async () => {
    await using scene = await stage();
    await scene.ask("POST /", "Content-Type: application/json\r\n", JSON.stringify({ token: placeholder }));
    assert.ok(scene.heard().includes(placeholder));
  });

  it("becomes another secret with the next request, once that is another", async () => {
    await using scene = await stage();
    await scene.ask("GET /", `X-Key: ${placeholder}\r\n`);
    const endpoints = [{ host: "upstream.invalid", port: Number(/:(\d+)\r\n/.exec(scene.heard())?.[1]), path: "" }];
    const rotated = { provider: "hub", key: "TOKEN", placeholder, secret: "rotated", endpoints };
    scene.world.credentials = new Credentials({ credentials: [rotated] });
    await scene.ask("GET /", `X-Key: ${placeholder}\r\n`);
    assert.match(scene.heard(), /X-Key: rotated\r\n/);
  });

  it("goes also where the policy binds the provider's credential", async () => {
    const endpoint = "protocol: rest, access: full, credential_binding: { provider: hub }";
    await using scene = await stage({ endpoint, bound: { host: "elsewhere.invalid" } });
    await scene.ask("GET /", `X-Key: ${placeholder}\r\n`);
    assert.match(scene.heard(), /X-Key: real\/secret"\+\r\n/);
  });
});

describe("a placeholder on its way anywhere else", () => {
  const refused = async (scene: Scene, code: string, ...request: Parameters<Scene["ask"]>) => {
    const answer = await scene.ask(...request);
    assert.match(answer, new RegExp(`X-OpenShell-Reason: ${code.replace(".", "\\.")}`));
    assert.doesNotMatch(answer, /ghp_a|TOKEN|real/);
    assert.equal(scene.heard().includes(placeholder), false);
    const record = scene.world.audit.events.join("\n");
    assert.doesNotMatch(record, /ghp_a|TOKEN|real\/secret/);
    assert.ok(record.includes(code));
  };

  it("is refused in a field, in the query and in a path", async () => {
    await using scene = await stage({ bound: { host: "elsewhere.invalid" } });
    await refused(scene, "credential.endpoint_mismatch", "GET /", `Authorization: Bearer ${placeholder}\r\n`);
    await refused(scene, "credential.endpoint_mismatch", `GET /?key=${placeholder}`);
    await refused(scene, "credential.endpoint_mismatch", `GET /${placeholder}/x`);
    const basic = Buffer.from(`user:${placeholder}`).toString("base64");
    await refused(scene, "credential.endpoint_mismatch", "GET /", `Authorization: Basic ${basic}\r\n`);
  });

  it("is refused outside of the path that the credential is bound to", async () => {
    await using scene = await stage({ bound: { path: "/api/**" } });
    await scene.ask("GET /api/me", `X-Key: ${placeholder}\r\n`);
    await refused(scene, "credential.endpoint_mismatch", "GET /elsewhere", `X-Key: ${placeholder}\r\n`);
  });

  it("is stopped in a body, also if it comes in pieces", async () => {
    await using scene = await stage({ bound: { host: "elsewhere.invalid" } });
    await refused(scene, "credential.endpoint_mismatch", "POST /", "", `padding ${placeholder} padding`);
  });

  it("is refused if it names a credential that there is none of, or one that has expired", async () => {
    await using scene = await stage({ expiresAtMs: "1" });
    const answer = await scene.ask("GET /", "X-Key: openshell:resolve:env:NOBODYS\r\n");
    assert.match(answer, /credential\.invalid/);
    await refused(scene, "credential.expired", "GET /", `X-Key: ${placeholder}\r\n`);
  });
});

describe("a tunnel that nobody looks into", () => {
  it("is not opened to where a credential belongs, unless the policy means it", async () => {
    await using scene = await stage({ endpoint: "tls: skip" });
    assert.match(scene.tunnel, /credential\.unseen/);
    await using meant = await stage({ endpoint: "tls: skip, allow_uninspected_credentials: true" });
    assert.match(await meant.ask("GET /"), /ok$/);
  });

  it("is cut when a placeholder is seen in it", async () => {
    await using scene = await stage({ endpoint: "tls: skip", bound: { host: "elsewhere.invalid" } });
    assert.match(await scene.ask("GET /"), /ok$/);
    const cut = new Promise((resolve) => scene.client.socket.once("close", resolve));
    scene.client.socket.on("error", () => {});
    scene.client.say(`GET /?key=${placeholder} HTTP/1.1\r\n\r\n`);
    await cut;
    assert.equal(scene.heard().includes(placeholder), false);
    assert.match(scene.world.audit.events.join("\n"), /credential\.endpoint_mismatch/);
  });
});
