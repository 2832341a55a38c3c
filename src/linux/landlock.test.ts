import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type LandlockOutcome, type LandlockRule, landlockAbi } from "./landlock.ts";

/** Rules without which no program would start. */
const system: readonly LandlockRule[] = [
  ...["/usr", "/lib", "/lib64", "/bin", "/proc"].map((path): LandlockRule => ({ path, access: "read" })),
  { path: "/dev/null", access: "write" },
];

describe("a process restricted with Landlock", () => {
  let root: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), "landlock-"));
    for (const name of ["shown", "writable", "hidden"]) {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, "file"), "text\n");
    }
  });
  after(() => rmSync(root, { recursive: true }));

  /** Runs a shell script below a restricted Node, which tells the outcome first. */
  function restricted(rules: readonly LandlockRule[], script: string): { outcome: LandlockOutcome; printed: string } {
    const here = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const source = `
      import { spawnSync } from "node:child_process";
      import { restrictWithLandlock } from ${here("landlock.ts")};
      import { setNoNewPrivileges } from ${here("process-limits.ts")};
      setNoNewPrivileges();
      console.log(JSON.stringify(restrictWithLandlock(${JSON.stringify(rules)})));
      spawnSync("sh", ["-c", ${JSON.stringify(script)}], { stdio: ["ignore", "inherit", "ignore"] });`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", source], {
      encoding: "utf8",
      cwd: "/",
    });
    const [first = "", ...rest] = stdout.split("\n");
    assert.notEqual(first, "", stderr);
    return { outcome: JSON.parse(first), printed: rest.join("\n") };
  }

  it("reads what it may read, writes what it may write, and nothing else", () => {
    const { outcome, printed } = restricted(
      [...system, { path: join(root, "shown"), access: "read" }, { path: join(root, "writable"), access: "write" }],
      `cd ${root}
       cat shown/file writable/file
       cat hidden/file || echo hidden stays hidden
       echo x > shown/file || echo shown stays as it is
       echo x > writable/new && mkdir writable/folder && mv writable/new writable/folder/ && echo written`,
    );
    assert.equal(outcome.enforced, true);
    assert.equal(outcome.abi, landlockAbi());
    assert.deepEqual(outcome.skipped, []);
    assert.equal(printed, "text\ntext\nhidden stays hidden\nshown stays as it is\nwritten\n");
    assert.deepEqual(readdirSync(join(root, "writable", "folder")), ["new"]);
  });

  it("sees the names in what it may list, and not the content", () => {
    const { printed } = restricted(
      [...system, { path: root, access: "list" }],
      `ls ${root}; cat ${root}/hidden/file || echo unread`,
    );
    assert.equal(printed, "hidden\nshown\nwritable\nunread\n");
  });

  it("is told which paths could not be opened, and is restricted to the others", () => {
    const missing = join(root, "missing");
    const { outcome, printed } = restricted(
      [...system, { path: missing, access: "read" }],
      `cat ${root}/shown/file || echo unread`,
    );
    assert.equal(outcome.enforced, true);
    assert.deepEqual(outcome.skipped, [{ path: missing, code: "ENOENT" }]);
    assert.equal(printed, "unread\n");
  });

  it("is not restricted when no path is left, and the outcome says so", () => {
    const { outcome, printed } = restricted(
      [{ path: join(root, "missing"), access: "read" }],
      `cat ${root}/shown/file`,
    );
    assert.equal(outcome.enforced, false);
    assert.equal(printed, "text\n");
  });

  it("can be given a single file, of the rights for which those that only folders have are left out", () => {
    const { outcome, printed } = restricted(
      [...system, { path: join(root, "writable", "file"), access: "write" }],
      `cat ${root}/writable/file; echo more >> ${root}/writable/file && echo written`,
    );
    assert.deepEqual(outcome.skipped, []);
    assert.equal(printed, "text\nwritten\n");
  });

  it("can't signal or trace those outside", () => {
    const { outcome, printed } = restricted(
      system,
      `kill -0 ${process.pid} || echo refused; readlink /proc/${process.pid}/exe || echo unread`,
    );
    assert.equal(outcome.scopes, outcome.abi >= 6);
    assert.equal(printed, outcome.scopes ? "refused\nunread\n" : "unread\n");
  });
});
