import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it } from "node:test";
import { GraphQLInt, GraphQLObjectType, GraphQLSchema } from "graphql";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { WebSocket, WebSocketServer } from "ws";
import { compilePolicy } from "../../../../policy/compile.ts";
import { parsePolicy } from "../../../../policy/parse.ts";
import { LoopbackWorld } from "../../test-support/loopback-world.ts";
import { readGraphqlMessage } from "./graphql-message.ts";

const numbers = { one: { type: GraphQLInt, resolve: () => 1 }, two: { type: GraphQLInt, resolve: () => 2 } };
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: "Query", fields: numbers }),
  mutation: new GraphQLObjectType({ name: "Mutation", fields: numbers }),
});

/** A server of the graphql-ws package, behind a policy whose endpoint has these fields. */
async function startWorld(endpoint: string) {
  const world = new LoopbackWorld();
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  const closing = useServer({ schema }, server);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const host = `upstream.invalid:${(http.address() as AddressInfo).port}`;
  const parsed = parsePolicy(`
version: 1
network_policies:
  graph:
    endpoints: [{ host: upstream.invalid, port: ${host.split(":")[1]}, ${endpoint} }]
    binaries: [{ path: any }]`);
  assert.ok(parsed.ok);
  world.policy = compilePolicy(parsed.policy, { version: 1, hash: "" });
  const proxy = await world.proxy();
  return {
    world,
    host,
    /** A tunnel for the WebSocket of a client. */
    tunnel: async () => {
      const socket = connect({ port: proxy, host: "127.0.0.1" });
      socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await once(socket, "data");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      await closing.dispose();
      http.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

type GraphWorld = Awaited<ReturnType<typeof startWorld>>;

/** What a client of the graphql-ws package gets for a query, or why its socket was closed. */
async function ask(graph: GraphWorld, query: string): Promise<unknown> {
  const tunnel = await graph.tunnel();
  class Tunnelled extends WebSocket {
    constructor(url: string, subprotocols: string | string[]) {
      super(url, subprotocols, { createConnection: () => tunnel });
    }
  }
  const client = createClient({ url: `ws://${graph.host}/graphql`, webSocketImpl: Tunnelled, retryAttempts: 0 });
  try {
    for await (const { data } of client.iterate({ query })) return data;
    return undefined;
  } catch (error) {
    return String((error as { reason?: string }).reason ?? error);
  } finally {
    await client.dispose();
  }
}

describe("GraphQL over a WebSocket", () => {
  for (const endpoint of [
    "protocol: graphql, rules: [{ allow: { operation_type: query, fields: [one] } }]",
    "protocol: websocket, rules: [{ allow: { method: GET, path: /graphql } }, { allow: { operation_type: query, fields: [one] } }]",
  ]) {
    it(`is held to rules about operations: ${endpoint.slice(0, 21)}`, async () => {
      await using graph = await startWorld(endpoint);
      assert.deepEqual({ ...((await ask(graph, "{ mine: one }")) as object) }, { mine: 1 });
      assert.match(
        String(await ask(graph, "mutation { two }")),
        /^inspect\.no_rule: a message \(mutation: two\) on \/graphql not permitted/,
      );
      assert.match(String(await ask(graph, "{ one ...F } fragment F on Query { two }")), /^inspect\.no_rule/);
      assert.match(String(await ask(graph, "{ one")), /^inspect\.invalid_graphql/);
    });
  }

  it("is held to rules that deny", async () => {
    await using graph = await startWorld("protocol: graphql, access: full, deny_rules: [{ operation_type: mutation }]");
    assert.deepEqual({ ...((await ask(graph, "{ two }")) as object) }, { two: 2 });
    assert.match(String(await ask(graph, "mutation { one }")), /^inspect\.deny_rule/);
  });

  it("leaves a trace of each operation, and none of what only keeps the connection up", async () => {
    await using graph = await startWorld("protocol: graphql, access: read-only");
    await ask(graph, "{ one }");
    const requests = graph.world.audit.events.filter((event) => event.startsWith("request allowed"));
    assert.equal(requests.length, 2, "the upgrade and the query");
  });

  it("passes under audit, also where it is too long to be read", async () => {
    await using graph = await startWorld(
      "protocol: graphql, access: read-only, enforcement: audit, graphql_max_body_bytes: 300",
    );
    assert.deepEqual({ ...((await ask(graph, "mutation { one }")) as object) }, { one: 1 });
    const long = `mutation { ${"one ".repeat(500)}}`;
    assert.deepEqual({ ...((await ask(graph, long)) as object) }, { one: 1 });
    const observed = graph.world.audit.events.filter((event) => event.startsWith("request logged only"));
    assert.equal(observed.length, 2);
  });

  it("is closed where a message is too long to be read", async () => {
    await using graph = await startWorld("protocol: graphql, access: read-only, graphql_max_body_bytes: 300");
    assert.match(String(await ask(graph, `{ ${"one ".repeat(500)}}`)), /^inspect\.too_large: .* 300 bytes/);
  });

  it("has no binary messages", async () => {
    await using graph = await startWorld("protocol: graphql, access: read-only");
    const tunnel = await graph.tunnel();
    const options = { createConnection: () => tunnel };
    const client = new WebSocket(`ws://${graph.host}/graphql`, "graphql-transport-ws", options);
    await once(client, "open");
    client.send(Buffer.from('{"type":"ping"}'), { binary: true });
    const [, reason] = await once(client, "close");
    assert.match(String(reason), /^inspect\.no_rule: a binary message/);
  });
});

describe("a message of a GraphQL client", () => {
  const start = (type: string, query: string) => JSON.stringify({ id: "1", type, payload: { query } });
  const messages: readonly (readonly [subprotocol: string, text: string, read: string])[] = [
    ["graphql-transport-ws", start("subscribe", "subscription { a }"), "subscription a"],
    ["graphql-ws", start("start", "mutation { b }"), "mutation b"],
    ["graphql-transport-ws", '{"type":"connection_init","payload":{"token":"x"}}', "nothing"],
    ["graphql-transport-ws", '{"type":"complete","id":"1"}', "nothing"],
    ["graphql-ws", '{"type":"stop","id":"1"}', "nothing"],
    ["graphql-ws", '{"type":"connection_terminate"}', "nothing"],
    ["graphql-transport-ws", start("start", "{ a }"), "inspect.invalid_graphql"],
    ["graphql-ws", start("subscribe", "{ a }"), "inspect.invalid_graphql"],
    ["graphql-ws", '{"type":"start","id":"1"}', "inspect.invalid_graphql"],
    ["graphql-ws", '{"id":"1"}', "inspect.invalid_graphql"],
    ["graphql-ws", "[]", "inspect.invalid_graphql"],
    ["graphql-ws", '{"type":"stop","type":"start","payload":{"query":"{ a }"}}', "inspect.invalid_graphql"],
    ["graphql-ws", '{"type":"stop","Type":"start","payload":{"query":"{ a }"}}', "inspect.ambiguous"],
    ["chat", start("subscribe", "{ a }"), "inspect.invalid_graphql"],
  ];
  for (const [subprotocol, text, read] of messages) {
    it(`in ${subprotocol}, ${text}: ${read}`, async () => {
      const result = await readGraphqlMessage(Buffer.from(text), subprotocol);
      if ("ok" in result) return assert.equal(result.reason, read);
      const [operation] = result;
      const shown = operation && "fields" in operation ? `${operation.operationType} ${operation.fields}` : "nothing";
      assert.equal(shown, read);
    });
  }
});
