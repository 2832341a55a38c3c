/**
 * A defect that nobody foresaw, in the gateway and the supervisors: once SIGUSR2 has come, the next words on their way into
 * a socket that a pattern knows are quoted by an error that nobody catches, as Node's own errors quote what they are about.
 * It stands before the programs' own text, which is what it is; put over them in this world, and taken away again.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { world } from "./world.ts";

/** What the errors say first; behind it stands what was being written. */
export const complaint = "no room for";

/** @param pattern a regular expression's text, which must not itself be a secret: it stands in files */
export function plantDefect(pattern: string): Disposable {
  const { directory, packageDirectory } = world();
  const planted = new DisposableStack();
  for (const program of ["gateway.cjs", "supervisor.cjs"]) {
    const original = join(packageDirectory, "dist", program);
    const defective = join(directory, program);
    writeFileSync(defective, `${defect(pattern)}\n${readFileSync(original, "utf8")}`, { mode: 0o755 });
    execFileSync("mount", ["--bind", defective, original]);
    planted.defer(() => void execFileSync("umount", [original]));
  }
  return planted;
}

function defect(pattern: string): string {
  return `(() => {
    const { Socket } = require("node:net");
    const { write } = Socket.prototype;
    let isRipe = false;
    process.on("SIGUSR2", () => { isRipe = true; });
    Socket.prototype.write = function (data, ...others) {
      const words = isRipe ? Buffer.from(data).toString("latin1") : "";
      if (new RegExp(${JSON.stringify(pattern)}).test(words)) {
        setImmediate(() => { throw new TypeError(\`${complaint} \${words}\`, { cause: { data } }); });
      }
      return write.call(this, data, ...others);
    };
  })();`;
}
