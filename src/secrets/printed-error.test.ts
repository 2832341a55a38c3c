import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { printedError } from "./printed-error.ts";
import { Secret } from "./secret.ts";

const directory = import.meta.dirname;
const canary = 'canary/that "no crash" prints';

/** Runs a program that holds a secret and comes to the given end. */
function crash(end: string) {
  const program = `
    const { Secret } = await import(${JSON.stringify(join(directory, "secret.ts"))});
    const { maskUncaughtErrors } = await import(${JSON.stringify(join(directory, "printed-error.ts"))});
    maskUncaughtErrors();
    const secret = new Secret(${JSON.stringify(canary)});
    ${end}
    setTimeout(() => console.log(secret), 10_000);`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
}

describe("an error that is printed", () => {
  it("has no secret in it, in whatever spelling, and all else", () => {
    const secret = new Secret(canary);
    const cause = Object.assign(new Error(`in ${encodeURIComponent(canary)}`), { input: secret.reveal() });
    const printed = printedError(new Error(`é ${JSON.stringify({ key: canary })}`, { cause }));
    assert.match(printed, /^Error: é \{"key":"\[redacted\]"\}\n\s+at .*printed-error\.test/);
    assert.match(printed, /cause.*Error: in \[redacted\]/);
    assert.doesNotMatch(printed, /canary.that/);
    assert.ok(Secret.alive().includes(secret));
  });

  it("ends a program that does not catch it, by whichever way", () => {
    for (const end of [
      "setTimeout(() => { throw new TypeError('no ' + secret.reveal()); });",
      "void Promise.reject(new TypeError('no ' + secret.reveal()));",
      "setImmediate(() => new URL(secret.reveal()));",
    ]) {
      const { status, stdout, stderr } = crash(end);
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(stderr, /^TypeError/m);
      assert.doesNotMatch(stderr, /canary.that/);
    }
  });

  it("is so in both of the programs that hold secrets", () => {
    for (const program of ["gateway", "supervisor"]) {
      assert.match(readFileSync(join(directory, "..", program, "main.ts"), "utf8"), /^maskUncaughtErrors\(\);$/m);
    }
  });
});
