/** A whole gateway whose state is in PostgreSQL, as its clients see it. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Secret } from "../secrets/secret.ts";
import { createGatewayLog } from "./gateway-log.ts";
import { openStore } from "./store/open-store.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "./store/test-support/postgres-server.ts";
import { startTestGateway, type TestGateway } from "./test-support/test-gateway.ts";

const canary = "ghp_canary0of0the0first0key0that0there0was";

describe("a gateway whose state is in PostgreSQL", { skip: postgresMissing() }, () => {
  const ends = new AsyncDisposableStack();
  let server: PostgresServer;
  let gateway: TestGateway;
  before(async () => {
    server = ends.use(await startPostgres());
    const databaseUrl = new Secret(await server.createDatabase());
    const log = createGatewayLog(() => {}, Date.now);
    const onTaken = () => assert.fail("another gateway has the database");
    gateway = ends.use(
      await startTestGateway({
        openStore: () => openStore({ stateDirectory: "/nonexistent", databaseUrl, log, onTaken }),
      }),
    );
  });
  after(() => ends.disposeAsync());
  const names = async () => (await gateway.client.listSandboxes({})).sandboxes.map(({ metadata }) => metadata?.name);
  const run = async (name: string) => {
    const { sandbox } = await gateway.client.getSandbox({ name });
    let exitCode: number | undefined;
    for await (const { payload } of gateway.client.execSandbox({
      sandboxId: sandbox?.metadata?.id ?? "",
      command: ["true"],
    })) {
      if (payload.case === "exit") exitCode = payload.value.exitCode;
    }
    return exitCode;
  };

  it("runs sandboxes, and finds them again when it comes back", async () => {
    await gateway.client.createSandbox({ name: "box", spec: {} });
    await gateway.restart();
    assert.deepEqual(await names(), ["box"]);
    assert.equal(await run("box"), 0);
  });

  it("lets no change that it acknowledged get lost when the database crashes", async () => {
    await gateway.client.createProvider({
      provider: {
        metadata: { name: "github" },
        type: "github",
        credentials: { GITHUB_TOKEN: canary },
        config: { TEAM: "the-team-in-plain" },
      },
    });
    await server.crash();
    const { providers } = await gateway.client.listProviders({});
    assert.deepEqual(
      providers.map(({ metadata }) => metadata?.name),
      ["github"],
    );
    assert.equal(await run("box"), 0);
  });

  it("leaves no secret in any of its files, neither one that it has nor one that it had", async () => {
    const newer = "ghp_canary0of0the0key0that0came0after";
    await gateway.client.updateProvider({
      provider: { metadata: { name: "github" }, type: "github", credentials: { GITHUB_TOKEN: newer } },
    });
    assert.notDeepEqual(await server.filesWith(["the-team-in-plain"]), [], "what is stored is found");
    assert.deepEqual(await server.filesWith([canary, newer]), []);
  });

  it("deletes what is deleted", async () => {
    await gateway.client.deleteSandbox({ name: "box" });
    assert.deepEqual(await names(), []);
  });
});
