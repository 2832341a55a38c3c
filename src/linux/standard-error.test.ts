import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

const module = join(import.meta.dirname, "standard-error.ts");

/** Runs a program with a standard error of its own, which says at the end on standard output that it got there. */
function run(body: string, standardError: string): string {
  const program = `
    import { openSync, closeSync } from "node:fs";
    const { writeStandardError } = await import(${JSON.stringify(module)});
    ${body}
    setTimeout(() => console.log("goes on"), 50);`;
  const stderr = openSync(standardError, "a");
  try {
    return spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", stderr],
      encoding: "utf8",
    }).stdout;
  } finally {
    closeSync(stderr);
  }
}

describe("standard error", () => {
  it("may be on a disk that is full: full(4)", () => {
    assert.equal(run("for (let n = 0; n < 3; n += 1) writeStandardError('lost\\n');", "/dev/full"), "goes on\n");
  });

  it("is written to again once that is possible", () => {
    const directory = mkdtempSync(join(tmpdir(), "openshell-"));
    const file = join(directory, "log");
    try {
      // The lowest free number is what is opened next: open(2).
      const reopen = (path: string) => `closeSync(2); openSync(${JSON.stringify(path)}, "a");`;
      const said = "writeStandardError('lost\\n');";
      assert.equal(
        run(`${reopen("/dev/full")} ${said} ${reopen(file)} writeStandardError("kept\\n");`, file),
        "goes on\n",
      );
      assert.equal(readFileSync(file, "utf8"), "kept\n");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
