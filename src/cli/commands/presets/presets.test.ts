import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkCases } from "../../../policy/cases/check-cases.ts";
import { parseCases } from "../../../policy/cases/read-cases.ts";
import { parsePolicy } from "../../../policy/parse.ts";
import type { Policy } from "../../../policy/policy.ts";
import { loaded } from "../../../policy/test-support/arbitrary-policy.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

/** A runner on whose machine nothing is installed but these scripts. */
function machine(scripts: Readonly<Record<string, string>>): CommandRunner {
  const runner = new CommandRunner();
  const bin = join(runner.home, "bin");
  mkdirSync(bin);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  Object.assign(runner.environment, { PATH: bin, HOME: runner.home });
  return runner;
}

async function shown(runner: CommandRunner, preset: string): Promise<Policy> {
  const { stdout, stderr } = await runner.run("policy", "presets", "show", preset);
  assert.notEqual(stdout, "", stderr);
  return loaded(parsePolicy(stdout));
}

const sitesOf = (policy: Policy) =>
  [...policy.networkPolicies.values()].flatMap(({ endpoints }) =>
    endpoints.map(({ host, ports }) => `${host}:${ports}`),
  );

describe("presets", () => {
  it("for git let fetch and never push", async () => {
    using runner = machine({});
    const policy = await shown(runner, "git-read-only");
    const git = "binary: /usr/bin/git, url: https://codeberg.org/a/b.git";
    const cases = parseCases(`cases:
  - { ${git}/info/refs?service=git-upload-pack, expect: allow }
  - { ${git}/git-upload-pack, method: POST, expect: allow }
  - { ${git}/info/refs?service=git-receive-pack, expect: deny, reason: inspect.deny_rule }
  - { ${git}/git-receive-pack, method: POST, expect: deny, reason: inspect.deny_rule }
  - { binary: /usr/bin/curl, url: https://codeberg.org/, expect: deny }
`);
    assert.ok(cases.ok);
    assert.ok(checkCases(policy, cases.cases).every(({ isAsExpected }) => isAsExpected));
  });

  it("for package managers name the hosts that these say themselves", async () => {
    const settings = JSON.stringify({
      registry: "https://npm.corp.example:8443/all/",
      "@mine:registry": "https://scoped.corp.example/",
      fund: false,
    });
    using runner = machine({
      node: "exit 0",
      npm: `echo '${settings}'`,
      go: "echo 'https://go.corp.example,direct'",
      "apt-get": "echo http://deb.corp.example/debian; echo http://deb.corp.example/debian",
      python3: `test "$3" = config || echo "  -i, --index-url <url>  Base URL (default\n https://pip.corp.example/simple)."`,
      cargo: "exit 0",
    });
    mkdirSync(join(runner.home, ".cargo"));
    const cargo =
      '[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "sparse+https://crates.corp.example/i/"\n';
    writeFileSync(join(runner.home, ".cargo", "config.toml"), cargo);
    assert.deepEqual(sitesOf(await shown(runner, "npm")), ["npm.corp.example:8443", "scoped.corp.example:443"]);
    assert.deepEqual(sitesOf(await shown(runner, "go")), ["go.corp.example:443"]);
    assert.deepEqual(sitesOf(await shown(runner, "apt")), ["deb.corp.example:80"]);
    assert.deepEqual(sitesOf(await shown(runner, "pip")), ["pip.corp.example:443"]);
    assert.deepEqual(sitesOf(await shown(runner, "cargo")), ["crates.corp.example:443"]);
  });

  it("say what is missing rather than guess", async () => {
    using runner = machine({ cargo: "exit 0", go: "echo off" });
    assert.match((await runner.run("policy", "presets", "show", "cargo")).stderr, /cargo is not configured to fetch/);
    assert.match((await runner.run("policy", "presets", "show", "go")).stderr, /go is not configured to fetch/);
    assert.match((await runner.run("policy", "presets", "show", "npm")).stderr, /is not installed on this machine/);
    const misspelt = await runner.run("policy", "presets", "show", "carg");
    assert.deepEqual([misspelt.exitCode, /did you mean "cargo"\?/.test(misspelt.stderr)], [2, true]);
    assert.match((await runner.run("policy", "presets", "list")).stdout, /\ngit-read-only +clone and fetch/);
  });
});
