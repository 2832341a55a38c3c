/** Images of tests, written out in them: made from nothing, or from the base image with something added. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { baseImage, engineCommand, importImage } from "./engine.ts";
import { world } from "./world.ts";

/** By path; a text is a file that everybody may read, and a program is one that everybody may run. */
export type ImageFiles = Readonly<Record<string, string | { readonly program: Buffer } | { readonly link: string }>>;

/** What the image says of itself: lines of a Dockerfile, such as `ENV COLOUR=blue`. */
export type ImageChanges = readonly string[];

/** An image with these files and no others. Gives its name. */
export async function imageOf(name: string, files: ImageFiles, changes: ImageChanges = []): Promise<string> {
  const image = `openshell-e2e:${name}`;
  await withDirectory(async (directory) => {
    const archive = join(directory, "root.tar");
    writeFileSync(archive, await archiveOf(files));
    importImage(engineName(), image, archive, changes);
  });
  return image;
}

/** The base image with these files on top. Gives its name. */
export async function imageOnBase(name: string, files: ImageFiles, changes: ImageChanges = []): Promise<string> {
  const image = `openshell-e2e:${name}`;
  await withDirectory(async (directory) => {
    writeFileSync(join(directory, "files.tar"), await archiveOf(files));
    const recipe = [`FROM ${baseImage}`, "ADD files.tar /", ...changes];
    writeFileSync(join(directory, "Dockerfile"), recipe.map((line) => `${line}\n`).join(""));
    engineCommand(engineName(), ["build", "--tag", image, directory]);
  });
  return image;
}

function engineName(): "docker" | "podman" {
  const { driver } = world();
  if (driver === "local") throw new Error("images are for worlds with an engine: run scripts/e2e.ts with --driver");
  return driver;
}

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(world().directory, "image-"));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function archiveOf(files: ImageFiles): Promise<Buffer> {
  const archive = pack();
  for (const [path, file] of Object.entries(files)) {
    const name = path.replace(/^\//, "");
    if (typeof file === "string") archive.entry({ name, mode: 0o644 }, file);
    else if ("link" in file) archive.entry({ name, type: "symlink", linkname: file.link });
    else archive.entry({ name, mode: 0o755 }, file.program);
  }
  archive.finalize();
  return await buffer(archive);
}
