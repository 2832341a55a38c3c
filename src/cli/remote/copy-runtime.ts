/**
 * Copies the programs to another machine, each version into a folder of its own that is there whole or not at all. Only
 * what no version there has is sent; the rest is linked. The machine verifies every file by its digest.
 */
import { createReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { CommandFailure } from "../command-failure.ts";
import type { RemoteMachine } from "./machine.ts";
import type { SshAccess } from "./remote-gateway.ts";
import type { RuntimeFile, RuntimeFiles } from "./runtime-files.ts";
import { quoted, runThere } from "./ssh.ts";

/** Enough that no two versions meet, short enough to read. */
const NAME_DIGITS = 16;

export interface CopiedRuntime {
  readonly folder: string;
  readonly sentBytes: number;
}

/** Makes sure that the programs are there. Throws CommandFailure. */
export async function copyRuntime(
  access: SshAccess,
  { base, files: there }: RemoteMachine,
  runtime: RuntimeFiles,
): Promise<CopiedRuntime> {
  const folder = `${base}/${runtime.digest.slice(0, NAME_DIGITS)}`;
  const isThere = ({ digest, path }: RuntimeFile) => there.get(digest) === `${folder}/${path}`;
  if (runtime.files.some(isThere)) return { folder, sentBytes: 0 };
  const sent = runtime.files.filter(({ digest }) => !there.has(digest));
  const linked = runtime.files.filter(({ digest }) => there.has(digest));
  const input = await archive(sent, runtime.manifest);
  const { code, stderr } = await runThere(access, script(folder, linked, there), { input });
  if (code !== 0) {
    throw new CommandFailure(`the programs could not be copied to ${access.destination}: ${stderr}`, {
      hint: "nothing was changed there; look at what it says, and start again",
    });
  }
  return { folder, sentBytes: sent.reduce((sum, { source }) => sum + statSync(source).size, 0) };
}

function script(folder: string, linked: readonly RuntimeFile[], there: ReadonlyMap<string, string>): string {
  const links = linked.map(({ digest, path }) => {
    const parent = path.replace(/\/[^/]*$/, "");
    return `mkdir -p ${quoted(parent)}\nln ${quoted(there.get(digest) ?? "")} ${quoted(path)}`;
  });
  return `
set -eu
umask 077
final=${quoted(folder)}
new=$final.$$
trap 'rm -rf "$new"' EXIT
mkdir -p "$new"
cd "$new"
tar -xf -
${links.join("\n")}
checked=$(sha256sum -c MANIFEST 2>&1) || { echo "$checked" | grep -v ': OK$' >&2; exit 1; }
cd /
[ -e "$final" ] || mv "$new" "$final"
`;
}

async function archive(files: readonly RuntimeFile[], manifest: string): Promise<Readable> {
  const { pack } = await import("tar-stream");
  const tar = pack();
  tar.entry({ name: "MANIFEST", mode: 0o600 }, manifest);
  void addAll(tar, files).catch((error: Error) => tar.destroy(error));
  return tar as unknown as Readable;
}

async function addAll(tar: Pack, files: readonly RuntimeFile[]): Promise<void> {
  for (const { source, path, isExecutable } of files) {
    const entry = tar.entry({ name: path, size: statSync(source).size, mode: isExecutable ? 0o700 : 0o600 });
    await pipeline(createReadStream(source), entry as unknown as NodeJS.WritableStream);
  }
  tar.finalize();
}
