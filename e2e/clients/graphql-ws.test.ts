/** Subscriptions as the graphql-ws package has them, client and server: each operation is decided by what it selects. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { after, before, describe, it } from "node:test";
import { build, stop } from "esbuild";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { leafFor } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { hosts } from "../support/names.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  news:
    endpoints:
      - host: api.example.test
        port: 443
        protocol: websocket
        rules:
          - allow: { method: GET, path: /graphql }
          - allow: { operation_type: subscription, fields: [count] }
          - allow: { operation_type: query }
    binaries: [{ path: any }]
`;

const schema = buildSchema(
  "type Query { name: String } type Mutation { rename: String } type Subscription { count: Int, secrets: Int }",
);

/** Prints the data of each operation of the command line, or what ended it. */
const program = `
  import { createClient } from "graphql-ws";
  import { WebSocket } from "ws";
  const client = createClient({ url: "wss://api.example.test/graphql", webSocketImpl: WebSocket, retryAttempts: 0 });
  for (const query of process.argv.slice(2)) {
    const heard = [];
    try {
      for await (const { data } of client.iterate({ query })) heard.push(Object.values(data)[0]);
      console.log(query, heard.join());
    } catch (error) {
      console.log(query, error.code, error.reason);
    }
  }
  await client.dispose();
`;

describe("a GraphQL client with subscriptions in a sandbox", () => {
  const done: string[] = [];
  let installation: Installation;
  let server: Server;
  let sandbox: Sandbox;

  async function* counting(name: string) {
    done.push(name);
    for (const value of [1, 2, 3]) yield { [name]: value };
  }
  const answering = (name: string) => () => {
    done.push(name);
    return "done";
  };

  before(async () => {
    installation = install();
    const { certificate, key } = leafFor("api.example.test");
    server = createServer({ cert: certificate, key });
    const roots = {
      query: { name: answering("name") },
      mutation: { rename: answering("rename") },
      subscription: { count: () => counting("count"), secrets: () => counting("secrets") },
    };
    useServer({ schema, roots }, new WebSocketServer({ server, path: "/graphql" }));
    server.listen(443, hosts["api.example.test"][0]);
    await once(server, "listening");
    sandbox = await createSandbox(installation, "news", policy);
    const stdin = { contents: program, resolveDir: import.meta.dirname };
    const external = ["bufferutil", "utf-8-validate"];
    const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire("/");' };
    const built = await build({
      ...{ stdin, external, banner, bundle: true, platform: "node", format: "esm", write: false },
    });
    await stop();
    const copy = ["sandbox", "exec", "--name", "news", "--", "tee", "client.mjs"];
    await installation.run(copy, { input: built.outputFiles[0]?.text ?? "" });
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await installation[Symbol.asyncDispose]();
  });

  const ask = async (...queries: readonly string[]) => {
    const { stdout, stderr } = await sandbox.run(
      `timeout 20 node client.mjs ${queries.map((query) => `'${query}'`).join(" ")}`,
    );
    assert.notEqual(stdout, "", stderr);
    return stdout;
  };

  it("hears what it subscribes to, and asks by the way", async () => {
    assert.equal(await ask("subscription { count }", "{ name }"), "subscription { count } 1,2,3\n{ name } done\n");
  });

  it("is closed with the reason for a field that no rule names, under an alias too", async () => {
    for (const query of ["subscription { secrets }", "subscription { count: secrets }", "mutation { rename }"]) {
      assert.match(await ask(query), /1008 inspect\.no_rule: /);
    }
    assert.ok(!done.includes("secrets") && !done.includes("rename"));
  });
});
