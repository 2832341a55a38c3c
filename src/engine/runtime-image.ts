/**
 * The image that supervisors run in, and the volume by which each sandbox sees the same files: Node with its own loader and
 * libraries, and this package's programs. Made from what is installed here; nothing is downloaded. Its name has a digest of
 * its parts, so that another version of the package has another image.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { pack } from "tar-stream";
import { packageView } from "../locations/package-view.ts";
import { containerNode } from "../supervisor/launch-spec.ts";
import { type Engine, EngineRefusal, ifThere } from "./engine.ts";

export const RUNTIME = "/run/openshell";
/** With a registry's name in front that is nobody's: Podman would take a bare one for Docker Hub's. */
const REPOSITORY = "localhost/openshell-runtime";
const VOLUME_PREFIX = "openshell-runtime-";
/** Where distributions keep them, whatever the user's own PATH. */
const TOOLS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LOADER = /^ld-linux.*\.so\.\d+$/;

/**
 * What the C library of our programs looks names up by: without these files it would give the first address alone of a host
 * that has several in /etc/hosts, and each of them has to be checked.
 */
const resolverFiles: Readonly<Record<string, string>> = {
  "etc/host.conf": "multi on\n",
  "etc/nsswitch.conf": "hosts: files dns\n",
};

export interface Runtime {
  readonly image: string;
  readonly volume: string;
}

export interface RuntimeFile {
  readonly source: string;
  readonly name: string;
}

/** The runtime of an image that was made before, by its name. */
export function runtimeOf(image: string): Runtime {
  return { image, volume: `${VOLUME_PREFIX}${image.slice(REPOSITORY.length + 1)}` };
}

/**
 * The runtime, made where it is missing; then those of other versions that no container uses are removed. `entry` is the
 * supervisor's program. Another gateway of another version may do the same at any time: see `hasRuntime`.
 */
export async function ensureRuntime(engine: Engine, entry: string): Promise<Runtime> {
  const files = runtimeFiles(entry);
  const runtime = runtimeOf(`${REPOSITORY}:${digestOf(files)}`);
  if (await hasRuntime(engine, runtime)) return runtime;
  try {
    await make(engine, runtime, files);
  } catch (error) {
    // Nothing used it yet, so another gateway may have removed the image before the volume was filled from it.
    if (!(error instanceof EngineRefusal) || (await hasImage(engine, runtime))) throw error;
    await make(engine, runtime, files);
  }
  await removeUnused(engine, runtime);
  return runtime;
}

/**
 * Whether all of it is there. The volume alone proves nothing: an engine makes an empty one for a container that names one
 * which is gone.
 */
export async function hasRuntime(engine: Engine, runtime: Runtime): Promise<boolean> {
  return (await hasImage(engine, runtime)) && (await ifThere(engine.get(`/volumes/${runtime.volume}`))) !== undefined;
}

async function hasImage(engine: Engine, { image }: Runtime): Promise<boolean> {
  return (await ifThere(engine.get(`/images/${image}/json`))) !== undefined;
}

async function make(engine: Engine, runtime: Runtime, files: readonly RuntimeFile[]): Promise<void> {
  if (!(await hasImage(engine, runtime))) {
    // Podman looks for no `tag` beside it.
    const query = { fromSrc: "-", repo: runtime.image };
    for await (const _ of engine.progress("/images/create", { query, body: archiveOf(files) }));
  }
  await fill(engine, runtime);
}

/**
 * The image goes first, and the volume only after it: so where the image is, the volume holds what it should. An engine
 * refuses to remove what a container uses, be it stopped.
 */
async function removeUnused(engine: Engine, kept: Runtime): Promise<void> {
  for (const { image, volume } of await runtimes(engine)) {
    if (image === kept.image) continue;
    try {
      await ifThere(engine.delete(`/images/${image}`));
      await ifThere(engine.delete(`/volumes/${volume}`));
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
    }
  }
}

/** All that the engine has, and those of which only one part is left. */
async function runtimes(engine: Engine): Promise<Runtime[]> {
  const images = await engine.get<{ readonly RepoTags?: readonly string[] | null }[]>("/images/json");
  const { Volumes: volumes } = await engine.get<{ readonly Volumes: readonly { readonly Name: string }[] | null }>(
    "/volumes",
  );
  const names = new Set([
    ...images.flatMap(({ RepoTags: tags }) => tags ?? []).filter((tag) => tag.startsWith(`${REPOSITORY}:`)),
    ...(volumes ?? [])
      .filter(({ Name: name }) => name.startsWith(VOLUME_PREFIX))
      .map(({ Name: name }) => `${REPOSITORY}:${name.slice(VOLUME_PREFIX.length)}`),
  ]);
  return [...names].map(runtimeOf);
}

/** A volume that is empty gets what the first image has that is started with it. */
async function fill(engine: Engine, { image, volume }: Runtime): Promise<void> {
  const body = {
    Image: image,
    Entrypoint: [...containerNode, "--version"],
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      Mounts: [{ Type: "volume", Source: volume, Target: RUNTIME }],
    },
  };
  const { Id: id } = JSON.parse((await engine.post("/containers/create", { body })).toString()) as { Id: string };
  try {
    await engine.post(`/containers/${id}/start`);
    const { StatusCode: code } = JSON.parse((await engine.post(`/containers/${id}/wait`)).toString()) as {
      StatusCode: number;
    };
    if (code !== 0)
      throw new Error(`the runtime's Node does not run in a container of ${engine.name}'s (code ${code})`);
  } catch (error) {
    await engine.delete(`/containers/${id}`, { force: "1" });
    await engine.delete(`/volumes/${volume}`);
    throw error;
  }
  await engine.delete(`/containers/${id}`, { force: "1" });
}

/** What the image is made of, below RUNTIME. `entry` is the supervisor's program. */
export function runtimeFiles(entry: string): RuntimeFile[] {
  const own = packageView(entry).items.flatMap(({ source, target, isFile }) =>
    isFile ? [{ source, name: basename(target) }] : filesBelow(source, target),
  );
  const tools = ["ip", "nft"].map((name) => ({ source: findTool(name), name: join("sbin", name) }));
  const programs = [...own, ...tools].filter(({ name }) => !/\.\w+$/.test(name) || name.endsWith(".node"));
  return [...own, ...tools, ...librariesOf(programs.map(({ source }) => source))];
}

function filesBelow(directory: string, name: string): RuntimeFile[] {
  return globSync(join(directory, "**/*"))
    .filter((path) => statSync(path).isFile())
    .sort()
    .map((source) => ({ source, name: join(name, relative(directory, source)) }));
}

function findTool(name: string): string {
  for (const directory of TOOLS_PATH.split(":")) {
    const path = join(directory, name);
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) return realpathSync(path);
  }
  throw new Error(`${name} is missing on this machine: run scripts/install-requirements.sh of this package`);
}

/** By ldd(1), which asks the loader itself. */
function librariesOf(programs: readonly string[]): RuntimeFile[] {
  const paths = new Set<string>();
  for (const program of programs) {
    let listed: string;
    try {
      listed = execFileSync("ldd", [program], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch {
      // No program for the loader: a text without an ending.
      continue;
    }
    for (const [, path = ""] of listed.matchAll(/(\/\S+) \(0x/g)) paths.add(path);
  }
  return [...paths].sort().map((path) => {
    const name = LOADER.test(basename(path)) ? "ld.so" : basename(path);
    return { source: realpathSync(path), name: join("lib", name) };
  });
}

/** Of names and contents' marks: reading all of it at each start would take longer than starting. */
function digestOf(files: readonly RuntimeFile[]): string {
  const hash = createHash("sha256").update(JSON.stringify(resolverFiles));
  for (const { source, name } of files) {
    const { size, mtimeMs } = statSync(source);
    hash.update(`${name}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The image's only layer, a tar stream that depends on nothing but the files. */
export function archiveOf(files: readonly RuntimeFile[]) {
  const archive = pack();
  void (async () => {
    try {
      for (const [name, text] of Object.entries(resolverFiles)) archive.entry({ name, mode: 0o644 }, text);
      for (const { source, name } of files) {
        const bytes = readFileSync(source);
        const header = { name: join(RUNTIME.slice(1), name), mode: 0o755, size: bytes.length, mtime: new Date(0) };
        await new Promise<void>((resolve, reject) => {
          archive.entry(header, bytes, (error) => (error ? reject(error) : resolve()));
        });
      }
      archive.finalize();
    } catch (error) {
      archive.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  })();
  return archive;
}
