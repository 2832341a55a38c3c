import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";

describe("the memory of a program that holds secrets", () => {
  it("is nobody's to read, and no signal opens a debugger on it", async () => {
    const here = JSON.stringify(new URL("private-memory.ts", import.meta.url).href);
    const program = `
      import { statSync } from "node:fs";
      const { keepMemoryPrivate } = await import(${here});
      keepMemoryPrivate();
      // What is not dumpable belongs to root; proc(5).
      if (process.getuid() === 0) process.seteuid(65534), keepMemoryPrivate();
      process.stdout.write(\`\${statSync("/proc/self/mem").uid}\\n\`);
      process.stdin.on("end", () => process.exit(7)).resume();`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "pipe" });
    let said = "";
    child.stderr.on("data", (piece: Buffer) => {
      said += piece.toString();
    });
    const [owner] = (await once(child.stdout, "data")) as [Buffer];
    assert.equal(owner.toString(), "0\n");
    child.kill("SIGUSR1");
    child.stdin.end();
    assert.deepEqual(await once(child, "exit"), [7, null]);
    assert.doesNotMatch(said, /Debugger/);
  });
});
