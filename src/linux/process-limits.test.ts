import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";

/** Runs statements that use this folder's functions in a Node of their own, then a shell, whose output it gives. */
function after(statements: string, shell: string): string {
  const here = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const source = `
    import { spawnSync } from "node:child_process";
    import { setLimit, setNoNewPrivileges, softLimit } from ${here("process-limits.ts")};
    ${statements}
    spawnSync("bash", ["-c", ${JSON.stringify(shell)}], { stdio: "inherit" });`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", source], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  return stdout;
}

describe("what a process sets on itself", () => {
  it("holds for what it starts: limits, soft and hard", () => {
    const limits = after(
      'setLimit("core", 0); setLimit("nofile", 512); setLimit("nproc", 8192);',
      "ulimit -Sc; ulimit -Hc; ulimit -Sn; ulimit -Hn; ulimit -Su",
    );
    assert.equal(limits, "0\n0\n512\n512\n8192\n");
  });

  it("holds for good: a limit can't be raised again, and wanting more gives what there is", () => {
    assert.equal(after('setLimit("nofile", 256); setLimit("nofile", 4096);', "ulimit -Hn"), "256\n");
  });

  it("can be asked for", () => {
    assert.equal(after('setLimit("nofile", 256); console.log(softLimit("nofile"));', "true"), "256\n");
  });

  it("holds for what it starts: no new privileges", () => {
    assert.equal(after("setNoNewPrivileges();", "grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1\n");
  });
});
