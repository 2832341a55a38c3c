import assert from "node:assert/strict";
import { chmodSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
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

  it("for pip name every source that is set, and its own index unless that is replaced or switched off", async () => {
    const cases: readonly (readonly [settings: readonly string[], sites: readonly string[]])[] = [
      [["global.index-url='https://mirror.corp.example/simple'"], ["mirror.corp.example:443"]],
      [
        [":env:.index-url='https://user:secret@mirror.corp.example:8443/simple'", "global.timeout='60'"],
        ["mirror.corp.example:8443"],
      ],
      [
        ["global.extra-index-url='\\nhttps://one.corp.example/\\nhttp://two.corp.example:81/'"],
        ["one.corp.example:443", "two.corp.example:81", "pip.example:443"],
      ],
      [["install.find-links='https://wheels.corp.example/'", "global.no-index='true'"], ["wheels.corp.example:443"]],
      [["install.find-links='/opt/wheels'"], ["pip.example:443"]],
    ];
    for (const [settings, sites] of cases) {
      using runner = machine({
        python3: `case "$*" in
          *executable*) echo "$0" ;;
          *config*) cat <<'SETTINGS'\n${settings.join("\n")}\nSETTINGS\n;;
          *) echo "--index-url <url>  Base URL (default https://pip.example/simple)." ;;
        esac`,
        cat: "while IFS= read -r line; do printf '%s\\n' \"$line\"; done",
      });
      const { stdout } = await runner.run("policy", "presets", "show", "pip");
      assert.deepEqual(sitesOf(loaded(parsePolicy(stdout))), sites, settings.join());
      assert.doesNotMatch(stdout, /secret/);
    }
  });

  it("for Go name its proxies and where checksums are asked", async () => {
    const cases: readonly (readonly [database: string, sites: readonly string[]])[] = [
      ["sum.corp.example", ["proxy.corp.example:443", "sum.corp.example:443"]],
      ["sum.corp.example+1+key https://sums.corp.example/db", ["proxy.corp.example:443", "sums.corp.example:443"]],
      ["off", ["proxy.corp.example:443"]],
    ];
    for (const [database, sites] of cases) {
      using runner = machine({ go: `echo 'https://proxy.corp.example|direct'; echo '${database}'` });
      assert.deepEqual(sitesOf(await shown(runner, "go")), sites);
    }
  });

  it("for cargo read its own folder, and name the cargo of the toolchain besides rustup's", async () => {
    using runner = machine({ cargo: "exit 0", rustc: 'echo "$HOME/toolchain"' });
    const toolchain = join(runner.home, "toolchain", "bin", "cargo");
    mkdirSync(join(runner.home, "toolchain", "bin"), { recursive: true });
    writeFileSync(toolchain, "", { mode: 0o755 });
    const home = join(runner.home, "elsewhere");
    mkdirSync(home);
    Object.assign(runner.environment, { CARGO_HOME: home });
    const settings =
      '[registries.corp]\nindex = "sparse+https://one.corp.example/i/"\n# registry = "https://no.example/"\n';
    writeFileSync(join(home, "config.toml"), settings);
    const policy = await shown(runner, "cargo");
    assert.deepEqual(sitesOf(policy), ["one.corp.example:443"]);
    const programs = policy.networkPolicies.get("preset_cargo")?.binaries;
    assert.deepEqual(programs, [join(runner.home, "bin", "cargo"), toolchain]);
  });

  it("for cargo name the index that it asks by itself where none is set", async () => {
    using runner = machine({
      cargo: `exec /bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/\${CARGO_HTTP_PROXY##*:} && echo "CONNECT index.corp.invalid:443 HTTP/1.1" >&3 && read -r <&3'`,
    });
    assert.deepEqual(sitesOf(await shown(runner, "cargo")), ["index.corp.invalid:443"]);
  });

  it("name the program that a version manager's script starts", async () => {
    const real = "/usr/bin/env";
    using runner = machine({ node: `echo ${real}`, npm: `echo '{"registry":"https://npm.corp.example/"}'` });
    const { binaries } = (await shown(runner, "npm")).networkPolicies.get("preset_npm") ?? {};
    assert.deepEqual(binaries, [realpathSync(real)]);
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
