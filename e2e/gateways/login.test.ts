/** Users of a gateway who log in at an identity provider: in a browser, with a code, and what their groups let them do. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { browser } from "../support/browser.ts";
import { audience, type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { type Installation, install } from "../support/installation.ts";

/** Shorter than what is left when a command renews: each command does. */
const tokenSeconds = 45;

describe("a gateway with a login", () => {
  let installation: Installation;
  let provider: IdentityProvider;
  let entry: string;

  before(async () => {
    installation = install();
    provider = await startIdentityProvider(tokenSeconds);
    provider.groups.set("ann", ["web-team"]).set("ops", ["operators"]).set("eve", []);
    const configuration = join(installation.home, ".config", "openshell");
    mkdirSync(configuration, { recursive: true });
    const yaml = `issuer: ${provider.issuer}\naudience: ${audience}\nroles: { operators: admin }\nworkspaces:\n  web: { web-team: user }\n`;
    writeFileSync(join(configuration, "oidc.yaml"), yaml);
    await run("gateway", "start");
    await run("workspace", "create", "web");
    const { endpoint = "" } = readRunningGateway(installation.stateDirectory) ?? {};
    await run(
      "gateway",
      "add",
      endpoint.replace("127.0.0.1", "localhost"),
      "--name",
      "corp",
      "--oidc-issuer",
      provider.issuer,
      "--oidc-audience",
      audience,
    );
    await run("gateway", "select", "openshell");
    entry = join(configuration, "gateways", "corp");
    mkdirSync(join(entry, "mtls"));
    const authority = readFileSync(join(configuration, "gateways", "openshell", "mtls", "ca.crt"));
    writeFileSync(join(entry, "mtls", "ca.crt"), authority);
  });
  after(async () => {
    await provider[Symbol.asyncDispose]();
    await run("-w", "web", "sandbox", "delete", "ours");
    await installation[Symbol.asyncDispose]();
  });

  async function run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await installation.run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async function login(user: string): Promise<void> {
    const done = await installation.run(["gateway", "login", "corp"], { env: { BROWSER: browser, LOGIN_AS: user } });
    assert.equal(done.code, 0, done.stderr);
  }

  it("says what to do before somebody has logged in", async () => {
    const { code, stderr } = await installation.run(["-g", "corp", "sandbox", "list"]);
    assert.equal(code, 1);
    assert.match(stderr, /not logged in to the gateway "corp"[\s\S]*openshell gateway login corp/);
  });

  it("knows who has logged in in a browser, and keeps the tokens from others", async () => {
    await login("ann");
    assert.equal(statSync(join(entry, "oidc_token.json")).mode & 0o077, 0);
    const who = JSON.parse(await run("-g", "corp", "whoami", "-o", "json"));
    assert.deepEqual([who.subject, who.identity_provider, who.roles], ["ann", provider.issuer, []]);
  });

  it("lets a team work in its workspace, and nowhere else", async () => {
    await run("-g", "corp", "-w", "web", "sandbox", "create", "--name", "ours", "--", "sh", "-c", "echo hi > kept");
    assert.equal(await run("-g", "corp", "-w", "web", "sandbox", "exec", "ours", "--", "cat", "kept"), "hi\n");
    const elsewhere = await installation.run(["-g", "corp", "sandbox", "list"]);
    assert.match(
      elsewhere.stderr,
      /ListSandboxes needs the role viewer in workspace "default", which ann does not have/,
    );
    const provider = await installation.run([
      "-g",
      "corp",
      "-w",
      "web",
      "provider",
      "create",
      "--type",
      "github",
      "--credential",
      "GITHUB_TOKEN=x",
    ]);
    assert.match(provider.stderr, /needs the role admin/);
    assert.match(await run("-g", "corp", "workspace", "list"), /^NAME.*\nweb /);
  });

  it("renews the login by itself, and takes what has become of the user's groups", async () => {
    const before = JSON.parse(readFileSync(join(entry, "oidc_token.json"), "utf8"));
    provider.groups.set("ann", ["operators"]);
    assert.deepEqual(JSON.parse(await run("-g", "corp", "whoami", "-o", "json")).roles, ["admin"]);
    const now = JSON.parse(readFileSync(join(entry, "oidc_token.json"), "utf8"));
    assert.notEqual(now.refresh_token, before.refresh_token);
    // Of many commands at once, one renews; the provider takes each token for a renewal only once.
    const names = await Promise.all(
      Array.from({ length: 6 }, () => run("-g", "corp", "sandbox", "list", "-w", "web", "--names")),
    );
    assert.deepEqual(new Set(names), new Set(["ours\n"]));
  });

  it("has a stranger in, who can do nothing", async () => {
    await login("eve");
    assert.equal(await run("-g", "corp", "workspace", "list"), "");
    for (const command of [
      ["sandbox", "list"],
      ["sandbox", "create"],
      ["settings", "get", "--global"],
    ]) {
      const { code, stderr } = await installation.run(["-g", "corp", ...command]);
      assert.equal(code, 1, command.join(" "));
      assert.match(stderr, /eve does not have/);
    }
  });

  it("lets somebody log in with a code that is typed elsewhere", async () => {
    const waiting = installation.start(["gateway", "login", "corp", "--device"]);
    let said = "";
    const address = await new Promise<string>((resolve, reject) => {
      waiting.stderr.on("data", (chunk: Buffer) => {
        said += chunk;
        const found = /or open (\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      void waiting.finished.then(({ stderr }) => reject(new Error(stderr)));
    });
    const elsewhere = spawn(process.execPath, [browser, address], {
      env: { ...process.env, LOGIN_AS: "ops" },
      stdio: "inherit",
    });
    await new Promise((resolve) => elsewhere.once("exit", resolve));
    const { code, stderr } = await waiting.finished;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(await run("-g", "corp", "whoami", "-o", "json")).subject, "ops");
  });

  it("forgets who has logged out", async () => {
    await run("gateway", "logout", "corp");
    assert.match((await installation.run(["-g", "corp", "whoami"])).stderr, /not logged in/);
  });
});
