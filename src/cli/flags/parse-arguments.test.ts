import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { list, optionalValue, text, toggle, unavailable, value, valueOr } from "./flag.ts";
import { globalFlags } from "./global-flags.ts";
import { environmentVariable, wholeNumber } from "./meanings.ts";
import { parseArguments } from "./parse-arguments.ts";

const flags = {
  name: text("name", { short: "n" }),
  limit: valueOr("limit", wholeNumber(1, 100), { initial: 10, environment: "LIMIT" }),
  tty: toggle("terminal", { negatable: true }),
  quiet: toggle("quiet", { short: "q" }),
  env: list("variable", environmentVariable),
  size: value("size", wholeNumber(0)),
  gpu: unavailable("gpu", "later"),
};

/** Those of `sandbox exec`, as far as they matter here. */
const execFlags = { ...flags, name: text("name", { short: "n", beforeDashes: true }) };

const words = { command: { kind: "rest", summary: "the command" } } as const;

function parse(...typed: string[]) {
  return parseArguments({ flags, positionals: words }, typed, { shared: globalFlags, environment: {} });
}

function understood(...typed: string[]) {
  const parsed = parse(...typed);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed;
}

function problem(...typed: string[]): string {
  const parsed = parse(...typed);
  assert.ok(!parsed.ok);
  return `${parsed.problem}${parsed.hint === undefined ? "" : ` (${parsed.hint})`}`;
}

describe("a command line", () => {
  it("lets a flag stand alone that may have a value, and takes the next word only where it is one", () => {
    const gpu = optionalValue("gpu", wholeNumber(1, 64), { bare: 0 });
    const command = {
      flags: { ...flags, gpu },
      positionals: { command: { kind: "rest", summary: "command" } },
    } as const;
    const given = (...typed: string[]) => {
      const parsed = parseArguments(command, typed, { shared: {}, environment: {} });
      assert.ok(parsed.ok, JSON.stringify(parsed));
      return [parsed.flags["gpu"], parsed.words["command"]];
    };
    assert.deepEqual(given("--gpu", "2", "--", "ls"), [2, ["ls"]]);
    assert.deepEqual(given("--gpu", "--", "ls"), [0, ["ls"]]);
    assert.deepEqual(given("--gpu", "ls", "2"), [0, ["ls", "2"]]);
    assert.deepEqual(given("--gpu=3"), [3, []]);
    assert.deepEqual(given("--gpu"), [0, []]);
    assert.deepEqual(given("ls"), [undefined, ["ls"]]);
    assert.equal(parseArguments(command, ["--gpu=all"], { shared: {}, environment: {} }).ok, false);
  });

  it("gives each flag its value in every spelling", () => {
    for (const typed of [["--name", "a"], ["--name=a"], ["-n", "a"], ["-na"], ["-n=a"]]) {
      assert.equal(understood(...typed).flags["name"], "a");
    }
  });

  it("gives what is not typed its default, and lets the environment stand in", () => {
    assert.equal(understood().flags["limit"], 10);
    assert.equal(understood().flags["tty"], undefined);
    assert.deepEqual(understood().flags["env"], []);
    const options = { shared: globalFlags, environment: { LIMIT: "7" } };
    const parsed = parseArguments({ flags, positionals: words }, [], options);
    assert.equal(parsed.ok && parsed.flags["limit"], 7);
    const bad = parseArguments({ flags, positionals: words }, [], { ...options, environment: { LIMIT: "0" } });
    assert.equal(bad.ok, false);
  });

  it("joins short switches and counts the repeatable one", () => {
    const { flags: given } = understood("-qvv", "-v");
    assert.equal(given["quiet"], true);
    assert.equal(given["verbose"], 3);
  });

  it("says no with --no- where that is offered, and only there", () => {
    assert.equal(understood("--no-tty").flags["tty"], false);
    assert.match(problem("--no-quiet"), /unknown flag --no-quiet/);
  });

  it("collects what may be repeated and refuses what may not", () => {
    assert.deepEqual(understood("--env", "A=1", "--env=B=x=y").flags["env"], [
      ["A", "1"],
      ["B", "x=y"],
    ]);
    assert.match(problem("--name", "a", "--name", "b"), /given twice/);
  });

  it("passes the words of the command on untouched", () => {
    assert.deepEqual(understood("-n", "a", "ls", "-n", "--help").words["command"], ["ls", "-n", "--help"]);
    assert.deepEqual(understood("--", "-x", "--", "y").words["command"], ["-x", "--", "y"]);
    assert.deepEqual(understood("a", "--", "b").words["command"], ["a", "--", "b"]);
  });

  it("knows a value that looks like a flag", () => {
    assert.equal(understood("--name", "-x").flags["name"], "-x");
  });

  it("refuses mistakes with what would be right", () => {
    assert.match(problem("--nmae", "x"), /unknown flag --nmae \(did you mean --name\?\)/);
    assert.match(problem("--limit"), /needs a value/);
    assert.match(problem("--limit", "101"), /from 1 to 100/);
    assert.match(problem("--quiet=yes"), /takes no value/);
    assert.match(problem("--gpu"), /--gpu is not available yet \(later\)/);
    assert.match(problem("-z"), /unknown flag -z/);
  });

  it("gives words to positionals in order and misses none", () => {
    const positionals = {
      name: { kind: "required", summary: "the name" },
      others: { kind: "many", summary: "others" },
    } as const;
    const options = { shared: {}, environment: {} };
    const parsed = parseArguments({ flags, positionals }, ["a", "b", "-q", "c"], options);
    assert.ok(parsed.ok);
    assert.deepEqual({ ...parsed.words }, { name: "a", others: ["b", "c"] });
    assert.equal(parseArguments({ flags, positionals }, [], options).ok, false);
    assert.equal(parseArguments({ flags, positionals: {} }, ["a"], options).ok, false);
  });

  it("never throws, whatever is typed", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("--name", "-n", "--", "-", "--env", "--no-tty", "-qv", "--=", "__proto__"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (typed) => {
        const parsed = parse(...typed);
        if (parsed.ok && !parsed.help) assert.ok(Array.isArray(parsed.words["command"]));
      }),
    );
  });
});

describe("a word before `--`", () => {
  function named(...typed: string[]): unknown[] {
    const options = { shared: globalFlags, environment: {} };
    const parsed = parseArguments({ flags: execFlags, positionals: words }, typed, options);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const { tty } = parsed.flags;
    return [parsed.flags["name"], parsed.words["command"], ...(tty === undefined ? [] : [tty])];
  }

  it("is the flag's value, also with flags in between", () => {
    assert.deepEqual(named("demo", "--", "ls", "-l"), ["demo", ["ls", "-l"]]);
    assert.deepEqual(named("demo", "--tty", "--env", "A=1", "--", "ls"), ["demo", ["ls"], true]);
    assert.deepEqual(named("--no-tty", "demo", "--", "git", "diff", "--", "x"), [
      "demo",
      ["git", "diff", "--", "x"],
      false,
    ]);
  });

  it("begins the command where it can't be anything else", () => {
    assert.deepEqual(named("ls", "-l"), [undefined, ["ls", "-l"]]);
    assert.deepEqual(named("git", "diff", "--", "x"), [undefined, ["git", "diff", "--", "x"]]);
    assert.deepEqual(named("git", "--no-pager", "diff", "--", "x"), [
      undefined,
      ["git", "--no-pager", "diff", "--", "x"],
    ]);
    assert.deepEqual(named("rm", "-f", "--", "x"), [undefined, ["rm", "-f", "--", "x"]]);
    assert.deepEqual(named("-n", "demo", "rm", "--", "x"), ["demo", ["rm", "--", "x"]]);
    assert.deepEqual(named("grep", "-n", "x", "--", "y"), [undefined, ["grep", "-n", "x", "--", "y"]]);
    assert.deepEqual(named("--", "demo", "--", "x"), [undefined, ["demo", "--", "x"]]);
  });
});
