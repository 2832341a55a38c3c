import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { processStartTime } from "../linux/process-stat.ts";
import { configDirectory } from "./config-directory.ts";
import {
  type GatewayMetadata,
  listGatewayEntries,
  readActiveGateway,
  readGatewayEntry,
  readMtlsBundle,
  removeGatewayEntry,
  writeActiveGateway,
  writeGatewayEntry,
  writeMtlsBundle,
} from "./gateway-entry.ts";
import { forgetRunningGateway, readRunningGateway, writeRunningGateway } from "./running-gateway.ts";
import { runtimeDirectory, supervisorSocketPath } from "./runtime-directory.ts";
import { stateDirectory } from "./state-directory.ts";

describe("where files are", () => {
  let base: string;
  before(() => {
    base = mkdtempSync(join(tmpdir(), "openshell-locations-"));
  });
  after(() => {
    rmSync(base, { recursive: true });
  });

  it("is what XDG says, and below the home directory otherwise", () => {
    assert.equal(configDirectory({ HOME: "/h" }), "/h/.config/openshell");
    assert.equal(configDirectory({ HOME: "/h", XDG_CONFIG_HOME: "/c" }), "/c/openshell");
    assert.equal(stateDirectory({ HOME: "/h", XDG_STATE_HOME: "relative" }), "/h/.local/state/openshell");
    const { homedir } = userInfo();
    for (const HOME of ["", "relative"]) assert.equal(stateDirectory({ HOME }), `${homedir}/.local/state/openshell`);
  });

  it("keeps the path of the socket short, however long that of the state is", () => {
    const runtime = runtimeDirectory({ XDG_RUNTIME_DIR: base }, `/${"long/".repeat(100)}`);
    assert.ok(supervisorSocketPath(runtime).length - base.length < 60);
    assert.equal(statSync(runtime).mode & 0o777, 0o700);
  });

  it("refuses a runtime directory whose sockets would have too long a path", () => {
    const long = join(base, "l".repeat(100));
    assert.throws(
      () => runtimeDirectory({ XDG_RUNTIME_DIR: long }, "/s"),
      /openshell is \d+ bytes too long for sockets/,
    );
    assert.equal(existsSync(long), false);
  });

  it("refuses a runtime directory that somebody else could have made", () => {
    const theirs = join(base, "theirs");
    mkdirSync(join(theirs, "openshell"), { recursive: true });
    chmodSync(join(theirs, "openshell"), 0o777);
    assert.throws(() => runtimeDirectory({ XDG_RUNTIME_DIR: theirs }, "/s"), /writable by others/);
    const linked = join(base, "linked");
    mkdirSync(linked);
    symlinkSync(base, join(linked, "openshell"));
    assert.throws(() => runtimeDirectory({ XDG_RUNTIME_DIR: linked }, "/s"), /not a directory/);
  });

  it("keeps gateways' entries, with what others wrote into them", () => {
    const config = join(base, "config");
    const entry: GatewayMetadata = {
      name: "one",
      gateway_endpoint: "https://127.0.0.1:1",
      is_remote: false,
      gateway_port: 1,
      backend: "vm",
    };
    writeGatewayEntry(config, entry);
    writeGatewayEntry(config, { ...entry, name: "another" });
    assert.deepEqual(readGatewayEntry(config, "one"), entry);
    assert.deepEqual(
      listGatewayEntries(config).map(({ name }) => name),
      ["another", "one"],
    );
    assert.equal(readMtlsBundle(config, "one"), undefined);
    const bundle = { ca: "a", certificate: "b", key: "c" };
    writeMtlsBundle(config, "one", bundle);
    assert.deepEqual(readMtlsBundle(config, "one"), bundle);
    assert.equal(statSync(join(config, "gateways", "one", "mtls", "tls.key")).mode & 0o777, 0o600);
    writeActiveGateway(config, "one");
    assert.equal(readActiveGateway(config), "one");
    removeGatewayEntry(config, "one");
    assert.equal(readActiveGateway(config), undefined);
    assert.equal(readGatewayEntry(config, "one"), undefined);
  });

  it("takes no name that leads elsewhere", () => {
    for (const name of ["..", "../x", "a/b", "", ".hidden"]) {
      assert.equal(readGatewayEntry(base, name), undefined);
      assert.throws(() => removeGatewayEntry(base, name), /not a gateway name/);
    }
  });

  it("knows a running gateway from one that was, and from another process with its number", () => {
    const startTime = processStartTime(process.pid) ?? "";
    const running = { pid: process.pid, startTime, endpoint: "https://127.0.0.1:1", version: "1" };
    writeRunningGateway(base, running);
    assert.deepEqual(readRunningGateway(base), running);
    writeRunningGateway(base, { ...running, startTime: "1" });
    assert.equal(readRunningGateway(base), undefined);
    forgetRunningGateway(base);
    assert.equal(readRunningGateway(base), undefined);
  });
});
