/** Requests whose meaning is in the body, over HTTP/1.1, decided by a policy as a user writes it. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { compilePolicy } from "../../../../policy/compile.ts";
import { parsePolicy } from "../../../../policy/parse.ts";
import { loaded } from "../../../../policy/test-support/arbitrary-policy.ts";
import { LoopbackWorld, type TestClient } from "../../test-support/loopback-world.ts";

const reading = "{ protocol: graphql, path: /graphql, access: read-only, graphql_max_body_bytes: 200 }";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Scene {
  readonly world: LoopbackWorld;
  readonly client: TestClient;
  readonly heard: () => string;
  /** Puts these endpoints in force. */
  readonly enact: (...endpoints: readonly string[]) => void;
  readonly post: (body: string, fields?: string) => string;
}

/** A tunnel to an upstream that answers each body that ends in `}` or in the last chunk. */
async function stage(...endpoints: readonly string[]): Promise<Scene & AsyncDisposable> {
  const world = new LoopbackWorld();
  let heard = "";
  const port = await world.listen((socket: Socket) => {
    socket.on("data", (piece: Buffer) => {
      heard += piece.toString("latin1");
      if (/\}$|\r\n\r\n$/.test(heard)) socket.write(ok, "latin1");
    });
  });
  let version = 0;
  const enact = (...written: readonly string[]) => {
    const list = written.map((text) => `{ host: upstream.invalid, port: ${port}, ${text.slice(1)}`).join(", ");
    const text = `{ version: 1, network_policies: { test: { endpoints: [${list}], binaries: [{ path: any }] } } }`;
    world.policy = compilePolicy(loaded(parsePolicy(text)), { version: ++version, hash: "" });
  };
  enact(...endpoints);
  const client = await world.connect(await world.proxy());
  const host = `upstream.invalid:${port}`;
  client.say(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await client.until(/^HTTP\/1\.1 200 .*\r\n\r\n/);
  const head = (fields: string) =>
    `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${fields}\r\n`;
  return {
    world,
    client,
    heard: () => heard,
    enact,
    post: (body, fields = `Content-Length: ${body.length}\r\n`) => head(fields) + body,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

function query(text: string): string {
  return JSON.stringify({ query: text });
}

describe("a request whose body says what it asks", () => {
  it("is forwarded as it came, chunks and trailers too, when all of it was read", async () => {
    await using scene = await stage(reading);
    const body = '4\r\n{"qu\r\n0A\r\nery":"{ a \r\n3\r\n}"}\r\n0\r\nX-Checksum: 1\r\n\r\n';
    scene.client.say(scene.post(body, "Transfer-Encoding: chunked\r\n"));
    await scene.client.until(/ok$/);
    assert.ok(scene.heard().endsWith(`\r\n\r\n${body}`));
  });

  it("is refused with what it asked for, and the connection kept", async () => {
    await using scene = await stage(reading);
    scene.client.say(scene.post(query("mutation Drop { dropAll }")));
    const refused = await scene.client.until(/\}\n$/);
    const { reason, detail, rule } = JSON.parse(refused.slice(refused.indexOf("{")));
    assert.deepEqual(
      { reason, detail, rule },
      {
        reason: "inspect.no_rule",
        detail: "POST /graphql (mutation Drop: dropAll) not permitted by policy",
        rule: "test",
      },
    );
    scene.client.say(scene.post(query("{ a }")));
    await scene.client.until(/ok$/);
    assert.doesNotMatch(scene.heard(), /dropAll/);
  });

  it("is asked for its body, once, if it waits for that", async () => {
    await using scene = await stage(reading);
    const body = query("{ a }");
    scene.client.say(scene.post("", `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`));
    await scene.client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    scene.client.say(body);
    assert.doesNotMatch(await scene.client.until(/ok$/), /100 Continue/);
    assert.doesNotMatch(scene.heard(), /expect/i);
  });

  for (const [what, fields, body, reason] of [
    ["is too large, by its own words", "Content-Length: 201\r\n", "", "inspect.too_large"],
    ["turns out too large", "Transfer-Encoding: chunked\r\n", `C9\r\n${"x".repeat(201)}`, "inspect.too_large"],
    ["is compressed", "Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x", "inspect.ambiguous"],
    [
      "is of two types, for servers that are told by CGI",
      "Content-Type: application/json\r\nContent_Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n",
      query("{ a }"),
      "inspect.invalid_graphql",
    ],
    ["is compressed, as CGI spells it", "Content_Encoding: gzip\r\nContent-Length: 1\r\n", "x", "inspect.ambiguous"],
    ["breaks its framing", "Transfer-Encoding: chunked\r\n", "zz\r\n", "inspect.ambiguous"],
    ["is no GraphQL", "Content-Length: 2\r\n", "{}", "inspect.invalid_graphql"],
    [
      "is read as another method too",
      "X-HTTP-Method-Override: GET\r\nContent-Length: 17\r\n",
      query("{ a }"),
      "inspect.ambiguous",
    ],
  ] as const) {
    it(`is refused if it ${what}`, async () => {
      await using scene = await stage(reading);
      scene.client.say(scene.post(body, fields));
      assert.match(await scene.client.until(/\}\n$/), new RegExp(`\r\nX-OpenShell-Reason: ${reason}\r\n`));
      assert.equal(scene.heard(), "");
    });
  }

  it("passes unread on an endpoint that is only audited, and is logged", async () => {
    await using scene = await stage(reading.replace(" }", ", enforcement: audit }"));
    const body = JSON.stringify({ query: "x".repeat(1000) });
    scene.client.say(scene.post(body));
    await scene.client.until(/ok$/);
    assert.ok(scene.heard().endsWith(body));
    assert.ok(scene.world.audit.events.includes("request logged only /graphql"));
  });

  it("is decided by the policy that is in force when it is whole", async () => {
    await using scene = await stage(reading);
    const body = query("{ a }");
    scene.client.say(scene.post("", `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`));
    await scene.client.until(/100 Continue\r\n\r\n$/);
    scene.enact("{ protocol: rest, access: read-only }");
    scene.client.say(body);
    assert.match(await scene.client.until(/\}\n$/), /X-OpenShell-Reason: inspect\.no_rule/);
  });

  it("never reaches the upstream if the client leaves before its end", async () => {
    await using scene = await stage(reading);
    scene.client.say(scene.post(query("{ a }")).slice(0, -1));
    scene.client.socket.end();
    await scene.client.untilClosed();
    assert.equal(scene.heard(), "");
    assert.ok(scene.world.audit.events.includes("request refused forward.reset"));
  });
});

describe("endpoints of one host and port", () => {
  it("are chosen by path, and only those for GraphQL read GraphQL", async () => {
    await using scene = await stage(reading, "{ protocol: rest, path: /upload, access: full }");
    const sent = scene.post(query("mutation { a }")).replace("/graphql", "/upload");
    scene.client.say(sent);
    await scene.client.until(/ok$/);
    scene.client.say(scene.post(query("mutation { a }")));
    assert.match(await scene.client.until(/\}\n$/), /X-OpenShell-Reason: inspect\.no_rule/);
  });

  it("allow together what each of them allows", async () => {
    const writing =
      "{ protocol: graphql, path: /graphql, rules: [{ allow: { operation_type: mutation, fields: [add*] } }] }";
    await using scene = await stage(reading, writing);
    for (const text of ["{ a }", "mutation { addOne addTwo }"]) {
      scene.client.say(scene.post(query(text)));
      await scene.client.until(/ok$/);
    }
    scene.client.say(scene.post(query("mutation { addOne dropAll }")));
    assert.match(await scene.client.until(/\}\n$/), /X-OpenShell-Reason: inspect\.no_rule/);
  });
});
