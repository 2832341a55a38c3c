/**
 * Programs of the machine that work on a sandbox's files, whatever modes its programs have given these. They are the
 * system's own (cp, rm), which go through trees of any depth and never follow a link on their way.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** What a program says of what it can't do; a tree can be full of it. */
const MAX_OUTPUT_BYTES = 64 * 1024;
/** Where distributions keep them; never what the user's own PATH says. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** An ordinary user's program may pass by the modes of the user's files in a namespace where the user is root. */
const asRoot = ["unshare", "--user", "--map-root-user", "--"];

/** Rejects with what the program said. */
export async function runAsOwner(program: string, args: readonly string[]): Promise<void> {
  const [file = program, ...rest] = [...(process.geteuid?.() === 0 ? [] : asRoot), program, ...args];
  try {
    await promisify(execFile)(file, rest, { env: { PATH, LC_ALL: "C" }, maxBuffer: MAX_OUTPUT_BYTES });
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? "")
      .trim()
      .split("\n")[0];
    throw new Error(said ? said : `${program} failed`, { cause: error });
  }
}
