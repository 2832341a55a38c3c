import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { SandboxRecord, Store } from "../store/store.ts";
import { ExposedServices, serviceUrl } from "./exposed-services.ts";

const sandbox = (name: string, workspace = "default") =>
  ({ id: `id-${name}-${workspace}`, name, workspace }) as SandboxRecord;
const refusal = (code: Code) => (error: unknown) => ConnectError.from(error).code === code;

describe("exposed services", () => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-exposed-"));
  let store: Store;
  let services: ExposedServices;
  before(() => {
    store = openSqliteStore(directory);
    services = new ExposedServices(store.resources("service"), () => 1);
  });
  after(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  it("are found by the host of their URL, in whichever workspace", async () => {
    for (const place of [sandbox("demo"), sandbox("demo", "team")]) {
      for (const service of ["", "web"]) {
        const record = await services.expose(place, service, 8080);
        const { host } = new URL(serviceUrl(record, 17_671));
        assert.deepEqual(await services.byHost(host.toUpperCase()), record);
      }
    }
    for (const host of [
      "",
      "demo",
      "demo.openshell.localhost.evil.test",
      "x.demo.openshell.localhost",
      "openshell.localhost",
    ]) {
      assert.equal(await services.byHost(host), undefined, host);
    }
  });

  it("keep their URL when they get another port", async () => {
    const again = await services.expose(sandbox("demo"), "web", 9090);
    assert.equal(again.body.targetPort, 9090);
    assert.equal((await services.get(sandbox("demo"), "web")).id, again.id);
  });

  it("of two sandboxes never share a host name", async () => {
    await assert.rejects(services.expose(sandbox("demo--web"), "", 80), refusal(Code.AlreadyExists));
    await assert.rejects(services.get(sandbox("demo--web"), ""), refusal(Code.NotFound));
  });

  it("are not what cannot be a host's name, or a port", async () => {
    for (const service of ["a.b", "UP", "-", "a b", "x".repeat(60)]) {
      await assert.rejects(services.expose(sandbox("demo"), service, 80), refusal(Code.InvalidArgument), service);
    }
    await assert.rejects(services.expose(sandbox("demo"), "", 0), refusal(Code.InvalidArgument));
  });

  it("go with their sandbox alone", async () => {
    await services.forget(sandbox("demo"));
    assert.deepEqual(
      (await services.list()).map(({ workspace, name }) => `${workspace} ${name}`),
      ["team demo", "team demo--web"],
    );
  });
});
