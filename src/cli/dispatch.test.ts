import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { VERSION } from "../version.ts";
import { commandTable } from "./command-table.ts";
import { cliReference } from "./help/reference.ts";
import { CommandRunner } from "./test-support/run-command.ts";

describe("openshell", () => {
  it("shows its help where it is asked for, and on standard error where a command is missing", async () => {
    using runner = new CommandRunner();
    const asked = await runner.run("--help");
    assert.deepEqual([asked.exitCode, asked.stderr], [0, ""]);
    assert.match(asked.stdout, /sandbox, sb/);
    const missing = await runner.run();
    assert.deepEqual([missing.exitCode, missing.stdout], [2, ""]);
    assert.match((await runner.run("sb", "--help")).stdout, /create +make a sandbox/);
    assert.match((await runner.run("sandbox", "create", "-h")).stdout, /--policy FILE/);
  });

  it("takes `help` as a word, too, before a command and within it", async () => {
    using runner = new CommandRunner();
    const { stdout } = await runner.run("sandbox", "create", "--help");
    for (const typed of [
      ["help", "sandbox", "create"],
      ["sandbox", "help", "create"],
    ]) {
      assert.deepEqual(await runner.run(...typed), { exitCode: 0, stdout, stderr: "" }, typed.join(" "));
    }
    assert.match((await runner.run("sandbox", "help")).stdout, /create +make a sandbox/);
    assert.match((await runner.run("help", "logs")).stdout, /--tail/);
    assert.equal((await runner.run("help", "nonsense")).exitCode, 2);
  });

  it("has commands of three words, and tells of them after the first two", async () => {
    using runner = new CommandRunner();
    assert.match((await runner.run("provider", "profile", "--help")).stdout, /profile import/);
    assert.match((await runner.run("provider", "profiles", "lint", "--help")).stdout, /^\S.*provider profile lint/s);
    assert.equal((await runner.run("sandbox", "provider")).exitCode, 2);
    assert.match(
      (await runner.run("sandbox", "provider", "attach", "-h")).stdout,
      /sandbox provider attach \[FLAGS\] NAME PROVIDER/,
    );
  });

  it("takes global flags before and after the command", async () => {
    using runner = new CommandRunner();
    const endpoint = ["--gateway-endpoint", "http://gateway.invalid"];
    for (const typed of [
      [...endpoint, "sandbox", "list"],
      ["sandbox", ...endpoint, "list"],
      ["sandbox", "list", ...endpoint],
    ]) {
      assert.match((await runner.run(...typed)).stderr, /not encrypted/, typed.join(" "));
    }
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = "http://gateway.invalid";
    assert.match((await runner.run("sandbox", "list")).stderr, /not encrypted/);
  });

  it("suggests the command that was meant, and tells of those to come", async () => {
    using runner = new CommandRunner();
    assert.match((await runner.run("sandbx", "list")).stderr, /did you mean "sandbox"/);
    assert.match((await runner.run("sandbox", "lst")).stderr, /did you mean "list"/);
    assert.match((await runner.run("gateway", "frobnicate")).stderr, /run `openshell gateway --help`/);
    assert.match((await runner.run("term")).stderr, /not available yet/);
    assert.equal((await runner.run("constructor")).exitCode, 2);
  });

  it("answers mistakes as JSON where JSON was asked for", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("sandbox", "list", "-o", "json", "--bogus");
    assert.equal(ran.exitCode, 2);
    assert.equal(JSON.parse(ran.stderr).error.code, "usage");
  });

  it("has the package's version, and a reference page that is up to date", async () => {
    const root = new URL("../../", import.meta.url);
    assert.equal(JSON.parse(readFileSync(new URL("package.json", root), "utf8")).version, VERSION);
    assert.equal(readFileSync(new URL("docs/cli.md", root), "utf8"), await cliReference());
  });

  it("gives every command one letter for one flag, and says what each does", async () => {
    for (const entry of Object.values(commandTable)) {
      for (const load of entry.kind === "single" ? [entry.load] : Object.values(entry.verbs)) {
        const { command } = await load();
        assert.ok(command.summary.length > 0 && command.examples.length > 0, command.name);
        const letters = Object.values(command.flags).flatMap(({ short }) => short ?? []);
        assert.equal(new Set([...letters, "g", "w", "v", "h"]).size, letters.length + 4, command.name);
      }
    }
  });

  it("completes in three shells", async () => {
    using runner = new CommandRunner();
    assert.match((await runner.run("completions", "bash")).stdout, /"sandbox create"\) next="--name --policy/);
    assert.match((await runner.run("completions", "zsh")).stdout, /bashcompinit/);
    assert.match((await runner.run("completions", "fish")).stdout, /__fish_seen_subcommand_from sandbox' -f -a create/);
    assert.equal((await runner.run("completions", "tcsh")).exitCode, 2);
  });

  it("looks at the machine", async () => {
    using runner = new CommandRunner();
    const ran = await runner.run("doctor", "-o", "json");
    const findings: { name: string; level: string; remedy: string }[] = JSON.parse(ran.stdout);
    assert.equal(ran.exitCode, findings.some(({ level }) => level === "fail") ? 1 : 0);
    assert.ok(findings.some(({ name }) => name === "user namespaces"));
    for (const { name, level, remedy } of findings) assert.equal(remedy === "", level === "ok", name);
  });
});
