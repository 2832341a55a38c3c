/** What a machine is and has, asked before anything is copied to it. */
import { CommandFailure } from "../command-failure.ts";
import type { SshAccess } from "./remote-gateway.ts";
import { runThere } from "./ssh.ts";

export interface RemoteMachine {
  /** Where versions of the programs are kept there. */
  readonly base: string;
  /** By digest: a file that is there already. */
  readonly files: ReadonlyMap<string, string>;
}

/** Programs and a gateway's first files, with room to breathe. */
const NEEDED_KIB = 512 * 1024;

/** What copying needs; everything a POSIX system with coreutils or busybox has. */
const NEEDED_PROGRAMS = ["tar", "sha256sum", "df", "ln", "mv", "mkdir"];

const probe = `
base=\${XDG_DATA_HOME:-$HOME/.local/share}/openshell/runtime
echo "system $(uname -s)"; echo "processor $(uname -m)"; echo "base $base"
for program in ${NEEDED_PROGRAMS.join(" ")}; do command -v $program >/dev/null || echo "missing $program"; done
ls /lib/ld-musl-* >/dev/null 2>&1 && ! ls /lib*/ld-linux-* >/dev/null 2>&1 && echo "musl"
df -Pk "$HOME" | tail -n 1 | while read -r _ _ _ free _; do echo "free $free"; done
for manifest in "$base"/*/MANIFEST; do
  [ -f "$manifest" ] || continue
  while read -r digest path; do echo "file $digest \${manifest%/MANIFEST}/$path"; done < "$manifest"
done
`;

const processors: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** Looks at the machine. Throws CommandFailure, naming all that is wrong with it. */
export async function lookAtMachine(access: SshAccess): Promise<RemoteMachine> {
  const { code, stdout, stderr } = await runThere(access, probe);
  if (code !== 0) {
    throw new CommandFailure(`${access.destination} gives no POSIX shell: ${stderr || `exit code ${code}`}`);
  }
  const lines = stdout.split("\n").map((line) => /^(\S+) ?(.*)$/.exec(line) ?? ["", "", ""]);
  const all = (key: string) => lines.filter(([, found]) => found === key).map(([, , value = ""]) => value);
  const [system, processor, base, free] = ["system", "processor", "base", "free"].map((key) => all(key)[0] ?? "");
  const own = processors[process.arch] ?? process.arch;
  const wrong = [
    ...(system === "Linux" ? [] : [`it runs ${system}, and sandboxes need Linux`]),
    ...(processor === own ? [] : [`its processor is ${processor}, and the programs here are for ${own}`]),
    ...(all("musl").length > 0 ? ["its C library is musl, and the programs are for glibc"] : []),
    ...(Number(free) < NEEDED_KIB
      ? [`${Math.floor(Number(free) / 1024)} MiB are free in its home, and 512 are needed`]
      : []),
    ...all("missing").map((program) => `it has no ${program}`),
  ];
  if (wrong.length > 0) {
    throw new CommandFailure(`${access.destination} can't run a gateway: ${wrong.join("; ")}`, {
      code: "failed_precondition",
    });
  }
  const files = all("file").map((line) => [line.slice(0, 64), line.slice(65)] as const);
  return { base: base ?? "", files: new Map(files) };
}
