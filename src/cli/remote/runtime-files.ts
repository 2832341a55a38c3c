/** The programs of this installation, as another machine gets them: the same folders, with the Node that runs them here. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, globSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Installation } from "../command-context.ts";

export interface RuntimeFile {
  readonly source: string;
  /** Below the runtime's folder. */
  readonly path: string;
  /** SHA-256, in hex. */
  readonly digest: string;
  readonly isExecutable: boolean;
}

export interface RuntimeFiles {
  readonly files: readonly RuntimeFile[];
  /** As sha256sum(1) checks it. */
  readonly manifest: string;
  /** Of all of them: the folder's name. */
  readonly digest: string;
}

/** What is not in the bundles: the terminal library with its native part. */
const NATIVE_PACKAGES = ["@lydell/node-pty", `@lydell/node-pty-linux-${process.arch}`];

/** Reads everything once, to know what it is. */
export async function runtimeFiles({ node, cliProgram }: Installation): Promise<RuntimeFiles> {
  const root = dirname(dirname(cliProgram));
  const found = [
    ...filesBelow(join(root, "bin"), "bin"),
    ...filesBelow(join(root, "dist"), "dist"),
    { source: node, path: `node_modules/node-linux-${process.arch}/bin/node` },
    ...NATIVE_PACKAGES.flatMap((name) => {
      // npm puts it beside the package for who depends on us.
      const place = [join(root, "node_modules", name), join(root, "..", name)].find((path) => existsSync(path));
      return place === undefined ? [] : filesBelow(place, join("node_modules", name));
    }),
  ].sort((one, other) => (one.path < other.path ? -1 : 1));
  const files = await Promise.all(
    found.map(async (file) => ({
      ...file,
      digest: await digestOf(file.source),
      isExecutable: (statSync(file.source).mode & 0o100) !== 0,
    })),
  );
  const manifest = files.map(({ digest, path }) => `${digest}  ${path}\n`).join("");
  return { files, manifest, digest: createHash("sha256").update(manifest).digest("hex") };
}

function filesBelow(directory: string, path: string): { source: string; path: string }[] {
  return globSync(join(directory, "**/*"))
    .filter((source) => statSync(source).isFile())
    .map((source) => ({ source, path: join(path, relative(directory, source)) }));
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
