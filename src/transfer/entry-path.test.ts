import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { entrySteps, leadsOut } from "./entry-path.ts";

/** Few names, so that paths meet; and whatever could mean another place. */
const step = fc.constantFrom("a", "b", "c", "..", ".", "", "a\0");
const path = fc.array(step, { minLength: 1, maxLength: 6 }).map((steps) => steps.join("/"));

describe("a name in an archive", () => {
  it("is taken for a place below the destination, or not at all", () => {
    fc.assert(
      fc.property(fc.oneof(path, fc.string({ unit: "binary" })), (name) => {
        const steps = entrySteps(name);
        if (!steps) return;
        const meant = join("/destination", ...steps);
        assert.ok(meant.startsWith("/destination/"), meant);
        assert.equal(meant, `/destination/${name.replace(/\/$/, "")}`);
      }),
    );
  });

  it("may be anything that a file can be called", () => {
    for (const name of ["a", "a/b", "a/", "...", "a/..b", " ", "-rf", "new\nline", "ünï", "C:\\x"]) {
      assert.ok(entrySteps(name), name);
    }
    for (const name of ["", "/", "/a", "a//b", "..", "a/..", "../a", ".", "./a", "a\0b", "x".repeat(5000)]) {
      assert.equal(entrySteps(name), undefined, name);
    }
  });
});

describe("symbolic links of a copy", () => {
  it("stay inside, however they lead through each other", () => {
    const links = fc.array(fc.record({ at: path, target: path }), { maxLength: 8 });
    fc.assert(
      fc.property(links, (made) => {
        const root = realpathSync(mkdtempSync(join(tmpdir(), "openshell-links-")));
        try {
          const folder = join(root, "copy");
          mkdirSync(folder);
          for (const { at, target } of made) makeIfAllowed(folder, at, target);
          for (const { at } of made) {
            const reached = reachedBy(join(folder, ...(entrySteps(at) ?? [])));
            assert.ok(reached === undefined || `${reached}/`.startsWith(`${folder}/`), `${at} leads to ${reached}`);
          }
        } finally {
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: 150 },
    );
  });

  it("are kept as packages and build tools make them", () => {
    assert.equal(leadsOut("../typescript/bin/tsc", 2), false);
    assert.equal(leadsOut("libz.so.1.3", 0), false);
    assert.equal(leadsOut("./a/b/", 0), false);
  });

  it("are told from those that lead elsewhere", () => {
    for (const target of ["/etc/passwd", "..", "../x", "a/../../x", "a/..", "", "a\0"]) {
      assert.equal(leadsOut(target, 0), true, target);
    }
  });
});

/** As unpacking does: folders on the way are made, and links are not gone through. */
function makeIfAllowed(folder: string, at: string, target: string): void {
  const steps = entrySteps(at);
  if (!steps || leadsOut(target, steps.length - 1)) return;
  const place = join(folder, ...steps);
  try {
    for (let depth = 1; depth < steps.length; depth++) {
      const around = join(folder, ...steps.slice(0, depth));
      mkdirSync(around, { recursive: true });
      if (realpathSync(around) !== around) return;
    }
    symlinkSync(target, place);
  } catch {
    // Something of that name is there.
  }
}

/** Undefined for a link to nothing. */
function reachedBy(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
