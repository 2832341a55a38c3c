/** What a request's contents ask for is decided: GraphQL and JSON-RPC, to servers that would do all of it. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { json } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { buildSchema, graphql } from "graphql";
import { startHttpServer } from "../support/http-server.ts";
import { type Http2EchoServer, startHttp2Server } from "../support/http2-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints:
      - { host: api.example.test, port: 443, protocol: rest, path: "/items/**", access: full }
      - { host: api.example.test, port: 443, protocol: graphql, path: /graphql, access: read-only }
      - host: api.example.test
        port: 443
        protocol: graphql
        path: /graphql
        rules: [{ allow: { operation_type: mutation, fields: [addNote] } }]
      - { host: files.example.test, port: 443, protocol: graphql, access: read-only }
      - host: other.example.test
        port: 443
        protocol: json-rpc
        rules: [{ allow: { method: sum } }, { allow: { method: log } }]
        json_rpc: { max_body_bytes: 1000 }
    binaries: [{ path: any }]
`;

const schema = buildSchema("type Query { note: String } type Mutation { addNote: String dropNotes: String }");

describe("a sandbox that speaks GraphQL and JSON-RPC", () => {
  const done: string[] = [];
  let installation: Installation;
  let servers: AsyncDisposable[];
  let http2: Http2EchoServer;
  let sandbox: Sandbox;

  const serveGraphql: RequestListener = async (request, response) => {
    const { query, operationName } = (await json(request)) as { query: string; operationName?: string };
    const fieldResolver = (_source: unknown, _args: unknown, _context: unknown, info: { fieldName: string }) => {
      done.push(info.fieldName);
      return "done";
    };
    response.end(
      JSON.stringify(await graphql({ schema, source: query, fieldResolver, operationName: operationName ?? null })),
    );
  };
  const serveRpc: RequestListener = async (request, response) => {
    const calls = [await json(request)].flat() as { method: string }[];
    done.push(...calls.map(({ method }) => method));
    response.end("{}");
  };

  before(async () => {
    installation = install();
    http2 = await startHttp2Server("files.example.test", { tls: true });
    servers = [
      http2,
      await startHttpServer({ host: "api.example.test", respond: serveGraphql }),
      await startHttpServer({ host: "other.example.test", respond: serveRpc }),
    ];
    sandbox = await createSandbox(installation, "contents", policy);
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** What the servers did when asked by curl, or the reason why it was refused. */
  const asked = async (url: string, body: string) => {
    done.length = 0;
    const { stdout, stderr } = await sandbox.run(
      `curl -sS -H 'content-type: application/json' --data-binary @- https://${url} <<'BODY'\n${body}\nBODY`,
    );
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout).reason ?? done.join(" ");
  };
  const graph = (query: string, more: object = {}) =>
    asked("api.example.test/graphql", JSON.stringify({ query, ...more }));
  const rpc = (...methods: string[]) => {
    const calls = methods.map((method, id) => ({ jsonrpc: "2.0", id, method }));
    return asked("other.example.test/", JSON.stringify(calls.length === 1 ? calls[0] : calls));
  };

  it("reads and does what its rules name", async () => {
    assert.equal(await graph("{ n: note }"), "note");
    assert.equal(await graph("mutation { addNote }"), "addNote");
    assert.equal(await graph("query A { note } mutation B { dropNotes }", { operationName: "A" }), "note");
    assert.equal(await rpc("sum"), "sum");
    assert.equal(await rpc("sum", "log"), "sum log");
  });

  it("does nothing else, however it is hidden", async () => {
    assert.equal(await graph("mutation { dropNotes }"), "inspect.no_rule");
    assert.equal(await graph("mutation { addNote: dropNotes }"), "inspect.no_rule");
    assert.equal(await graph("mutation { addNote ...F } fragment F on Mutation { dropNotes }"), "inspect.no_rule");
    const twice = '{"query": "{ note }", "query": "mutation { dropNotes }"}';
    assert.equal(await asked("api.example.test/graphql", twice), "inspect.invalid_graphql");
    assert.equal(await asked("api.example.test/graphql?query={note}", '{"query": "{ note }"}'), "inspect.ambiguous");
    assert.equal(await rpc("sum", "delete"), "inspect.no_rule");
    assert.equal(await rpc(`sum${" ".repeat(1000)}`), "inspect.too_large");
    assert.equal(await asked("other.example.test/", "delete"), "inspect.invalid_json_rpc");
    assert.deepEqual(done, []);
  });

  it("is read over HTTP/2 too, and forwarded whole", async () => {
    const post = (query: string) =>
      sandbox.run(
        `curl -sS --http2 -H 'content-type: application/json' -d '${JSON.stringify({ query })}' https://files.example.test/`,
      );
    assert.equal((await post("{ note }")).stdout, "POST 2.0 / 20\n");
    assert.equal(JSON.parse((await post("mutation { dropNotes }")).stdout).reason, "inspect.no_rule");
    assert.deepEqual(http2.heard, ["POST 2.0 /"]);
  });

  it("is told what was refused, and its user which rule would allow that", async () => {
    assert.equal(await graph('mutation Harmless { dropNotes(because: "secret words") }'), "inspect.no_rule");
    const { stdout } = await installation.run(["policy", "explain", "contents"]);
    assert.match(stdout, /\nDetail: +POST \/graphql \(mutation Harmless: dropNotes\) not permitted by policy\n/);
    const [, rule = ""] = /\nnetwork_policies:\n([\s\S]*?)\n\n/.exec(stdout) ?? [];
    assert.match(rule, /operation_type: mutation\n +fields:\n +- dropNotes$/m);
    const requests = installation.events().filter((event) => event.class_uid === 4002);
    assert.doesNotMatch(JSON.stringify(requests), /secret words/);
    const set = await sandbox.setPolicy(`${policy}${rule}\n`);
    assert.equal(set.code, 0, set.stderr);
    assert.equal(await graph("mutation { dropNotes }"), "dropNotes");
  });
});
