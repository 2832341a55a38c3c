/** One program and many gateways: the user's own, those that the machine's administrator has entered, and those that do not do. */
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { tester, world } from "../support/world.ts";

const { hasUsers, packageDirectory } = world();

describe("many gateways", () => {
  let installation: Installation;
  let endpoint: string;
  let directory: string;
  /** As an administrator would fill /etc/openshell. */
  let system: string;

  const says = async (args: readonly string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await installation.run(args, { env });
    return { code, said: stdout + stderr };
  };

  before(async () => {
    installation = install();
    directory = mkdtempSync(join(world().directory, "many-"));
    system = join(directory, "system");
    const started = await installation.run(["gateway", "start"]);
    endpoint = /https:\S+/.exec(started.stdout)?.[0] ?? assert.fail(started.stderr);
    const own = join(installation.home, ".config/openshell/gateways/openshell");
    const entry = join(system, "gateways/company");
    cpSync(own, entry, { recursive: true });
    const metadata = { ...JSON.parse(readFileSync(join(own, "metadata.json"), "utf8")), name: "company" };
    writeFileSync(join(entry, "metadata.json"), JSON.stringify(metadata));
    writeFileSync(join(system, "active_gateway"), "company\n");
    for (const path of ["", "metadata.json", "mtls", "mtls/ca.crt", "mtls/tls.crt", "mtls/tls.key"]) {
      chmodSync(join(entry, path), 0o755);
    }
    chmodSync(directory, 0o755);
  });
  after(async () => {
    await installation[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const skip = !hasUsers && "needs root, for a second user";
  it("are the machine's for a user who has none, and the user's own for one who has", { skip }, async () => {
    const home = join(directory, "newcomer");
    const config = join(home, ".config");
    const own = join(config, "openshell/gateways/company");
    mkdirSync(own, { recursive: true });
    const become = ["setpriv", `--reuid=${tester.uid}`, `--regid=${tester.gid}`, "--clear-groups"];
    const variables = [`HOME=${home}`, `XDG_CONFIG_HOME=${config}`, `OPENSHELL_SYSTEM_GATEWAY_DIR=${system}`];
    const openshell = join(packageDirectory, "bin/openshell");
    const run = (...args: string[]) =>
      installation.runProgram([...become, "env", ...variables, "XDG_RUNTIME_DIR=", openshell, ...args]);
    const { stdout, stderr } = await run("gateway", "list", "-o", "json");
    const [listed] = JSON.parse(stdout || assert.fail(stderr));
    assert.deepEqual([listed.name, listed.endpoint, listed.active], ["company", endpoint, true]);
    assert.equal((await run("sandbox", "list", "-o", "json")).stdout, "[]\n");
    assert.match((await run("gateway", "remove", "company")).stderr, /this user has no gateway called "company"/);
    writeFileSync(join(own, "metadata.json"), JSON.stringify({ ...listed, gateway_endpoint: "https://127.0.0.1:1" }));
    const hidden = await run("sandbox", "list");
    assert.equal(hidden.code, 1);
    assert.match(
      hidden.stderr,
      /cannot reach the gateway "company" at https:\/\/127\.0\.0\.1:1: nothing listens there/,
    );
  });

  it("are chosen by -g, then by OPENSHELL_GATEWAY, then by `gateway select`", async () => {
    const env = { OPENSHELL_SYSTEM_GATEWAY_DIR: system };
    const used = async (args: readonly string[], more = {}) =>
      JSON.parse((await says(["gateway", "status", "-o", "json", ...args], { ...env, ...more })).said).gateway;
    assert.equal(await used([]), "openshell");
    assert.equal(await used([], { OPENSHELL_GATEWAY: "company" }), "company");
    assert.equal(await used(["-g", "openshell"], { OPENSHELL_GATEWAY: "company" }), "openshell");
    assert.equal((await says(["gateway", "select", "company"], env)).said, "company\n");
    assert.equal(await used([]), "company");
    await says(["gateway", "select", "openshell"], env);
    const { code, said } = await says(["sandbox", "list"], { ...env, OPENSHELL_GATEWAY: "compny" });
    assert.equal(code, 1);
    assert.match(said, /there is no gateway called "compny"\n.*gateway list/);
  });

  it("say what is wrong: nobody there, a stranger's certificate, no certificate of this user's", async () => {
    const add = (name: string, address: string) => installation.run(["gateway", "add", address, "--name", name]);
    await add("away", "https://127.0.0.1:1");
    await add("stranger", endpoint);
    const { said: away } = await says(["gateway", "status", "-g", "away"]);
    assert.match(away, /Status: +Unreachable\n[\s\S]*cannot reach the gateway "away" .*: nothing listens there/);
    const { said: strange } = await says(["sandbox", "list", "-g", "stranger"]);
    assert.match(strange, /its certificate is not signed by the authority that this client knows/);
    const unknown = await says(["gateway", "status", "-g", "stranger", "--gateway-insecure"]);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.said,
      /Status: +Connected\nAuthentication: +refused\n[\s\S]*a client certificate .* is required/,
    );
    const { said } = await says(["sandbox", "list", "-g", "stranger", "--gateway-insecure"]);
    assert.match(said, /error: a client certificate of this gateway is required\nhint: /);
    for (const name of ["away", "stranger"]) await installation.run(["gateway", "remove", name]);
    await installation.run(["gateway", "select", "openshell"]);
  });

  it("of another version are told by it", async () => {
    const newer = join(directory, "newer");
    for (const part of ["bin", "dist"]) cpSync(join(packageDirectory, part), join(newer, part), { recursive: true });
    symlinkSync(join(packageDirectory, "node_modules"), join(newer, "node_modules"));
    for (const bundle of ["cli.cjs", "cli-commands.cjs"]) {
      const path = join(newer, "dist", bundle);
      writeFileSync(path, readFileSync(path, "utf8").replaceAll('"0.1.0"', '"9.8.7"'));
    }
    const { code, stdout, stderr } = await installation.runProgram([join(newer, "bin/openshell"), "gateway", "status"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /the gateway's version is 0\.1\.0, and this program's 9\.8\.7: update the gateway/);
  });
});
