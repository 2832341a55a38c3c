/**
 * What the sandbox's root will hold: the policy's paths and the little that every sandbox has. Made from the policy and
 * a look at the host's file system; carried out by the launch script (overlays), bubblewrap (mounts) and init (Landlock).
 *
 * A path that the policy makes writable never is the host's own: `/sandbox` and `/tmp` are the sandbox's, a host folder
 * is shown through a copy-on-write overlay, and what the host lacks becomes an empty folder that lasts. Only a folder that
 * was asked for by `--mount` is written to.
 */
import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { LandlockRule } from "../../linux/landlock.ts";
import type { Policy } from "../../policy/policy.ts";
import type { SandboxFolder } from "../launch-spec.ts";
import { lateEtcFiles } from "./etc-directory.ts";

/** A folder of the host's seen through a writable layer of the sandbox's own; kept in `layer` from start to start. */
export interface Overlay {
  readonly lower: string;
  readonly layer: string;
  readonly target: string;
}

export interface MountPlan {
  /** Arguments of bwrap(1) that make the root, in order. */
  readonly mounts: readonly string[];
  readonly overlays: readonly Overlay[];
  /** Directories that must exist before the launch. */
  readonly directories: readonly string[];
  readonly landlock: readonly LandlockRule[];
  readonly warnings: readonly string[];
}

/** What the plan is made from besides the policy. All paths are the host's. */
export interface MountSources {
  readonly home: string;
  /** Becomes `/tmp`. A folder on disk: in memory, one sandbox could take the machine's. */
  readonly temporary: string;
  readonly logs: string;
  /** The merged or bare `/etc`; see etc-directory.ts. */
  readonly etc: string;
  /** Our own files of it. */
  readonly ownEtc: string;
  /** Where writable layers are kept. */
  readonly layers: string;
  /** Where overlays are mounted. */
  readonly overlayTargets: string;
  /** Node's executable and the package's own files, which init is made of. */
  readonly runtime: readonly RuntimeMount[];
  /** Asked for when the sandbox was created, beside its policy. */
  readonly folders: readonly SandboxFolder[];
}

export interface RuntimeMount {
  readonly source: string;
  readonly target: string;
}

/** Bytes in `/dev/shm`, which browsers and databases fill; part of the sandbox's memory where that is limited. */
export const sharedMemoryBytes = 1024 * 1024 * 1024;

/** Where the policy's own words for a path already mean a part of every sandbox. */
const HOME = "/sandbox";
const TEMPORARY = "/tmp";
const LOGS = "/var/log";
const RUNTIME = "/run/openshell";

/** Mount points that are made by other means than binding the host's. */
const synthetic = ["/proc", "/dev", "/etc", LOGS, RUNTIME, HOME, TEMPORARY];

/** On distributions with a merged /usr these are links into it, and programs are found by them. */
export const usrLinks = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/** Never shown, even where a policy says `/`: other programs' sockets and the kernel's controls are no one's data. */
const notInRoot = ["/proc", "/dev", "/sys", "/run", "/tmp", "/lost+found"];

/** Plans the mounts for `policy`'s filesystem section. Reads the host's file system, changes nothing. */
export function planMounts(policy: Policy, sources: MountSources): MountPlan {
  const { readOnly, readWrite, includeWorkdir } = policy.filesystem;
  const readable = withUsrLinks(readOnly.flatMap(expandRoot)).filter((path) => !isWithin(path, synthetic));
  const writable = readWrite.filter((path) => !isWithin(path, synthetic));
  const shown = readable.filter((path) => !isCovered(path, readable, writable)).map(showReadOnly);
  const layers = writable.map((path) => showWritable(path, sources));
  const folders = [...sources.folders].sort((one, other) => (one.target < other.target ? -1 : 1));
  // What encloses comes first, so that a path has the access that was said of it and not of a folder around it.
  const declared = [...shown, ...layers].sort((one, other) => (one.path < other.path ? -1 : 1));
  const workdirWritable = includeWorkdir || readWrite.includes(HOME);
  return {
    mounts: [
      ...declared.flatMap((mount) => mount.arguments),
      ...["--ro-bind", sources.etc, "/etc"],
      ...lateEtcFiles.flatMap((name) => ["--ro-bind", join(sources.ownEtc, name), join("/etc", name)]),
      ...["--proc", "/proc", "--dev", "/dev"],
      // Both are memory of the machine's: one has a size, the other holds nothing but what was put there.
      ...["--size", String(sharedMemoryBytes), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
      ...["--bind", sources.temporary, TEMPORARY],
      ...["--bind", sources.home, HOME],
      ...["--ro-bind", sources.logs, LOGS],
      ...sources.runtime.flatMap(({ source, target }) => ["--ro-bind", source, target]),
      ...folders.flatMap((folder) => [
        ...[folder.writable ? "--bind" : "--ro-bind", folderOverlay(folder, sources)?.target ?? folder.source],
        folder.target,
      ]),
    ],
    overlays: [
      ...layers.flatMap((layer) => (layer.overlay ? [layer.overlay] : [])),
      ...folders.flatMap((folder) => folderOverlay(folder, sources) ?? []),
    ],
    directories: [
      ...layers.flatMap((layer) => layer.directories),
      ...folders.flatMap((folder) => folderOverlay(folder, sources)?.target ?? []),
    ],
    landlock: [
      // Whatever the root holds was put there by this plan, so its names are no secret.
      { path: "/", access: "list" },
      // `/proc` has this sandbox's processes and no others; init reads there what it reports, and whom it signals.
      ...unique([...readOnly.flatMap(expandRoot), ...readable, "/etc", "/proc", LOGS, RUNTIME]).map(toRule("read")),
      ...unique([...readWrite, "/dev", ...(workdirWritable ? [HOME] : [])]).map(toRule("write")),
      ...folders.map(({ target, writable }) => ({ path: target, access: writable ? "write" : "read" }) as const),
    ],
    warnings: shown.flatMap((mount) => mount.warnings),
  };
}

const unique = (paths: readonly string[]): string[] => [...new Set(paths)];

const toRule = (access: LandlockRule["access"]) => (path: string) => ({ path, access });

/** `/` stands for the root's folders, without those that are not data. */
function expandRoot(path: string): string[] {
  if (path !== "/") return [path];
  return readdirSync("/")
    .map((name) => `/${name}`)
    .filter((child) => !notInRoot.includes(child));
}

/** A policy that shows /usr means its programs to be found, so the root's links into it come along. */
function withUsrLinks(paths: readonly string[]): string[] {
  if (!paths.includes("/usr")) return [...paths];
  return [...new Set([...paths, ...usrLinks.filter((link) => statOf(link)?.isSymbolicLink())])];
}

const isWithin = (path: string, parents: readonly string[]): boolean =>
  parents.some((parent) => path === parent || path.startsWith(`${parent}/`));

/** Whether the nearest folder around it that the policy names is shown read-only, and the path with it. */
function isCovered(path: string, readable: readonly string[], writable: readonly string[]): boolean {
  const around = (paths: readonly string[]) =>
    Math.max(0, ...paths.filter((other) => path.startsWith(`${other}/`)).map((other) => other.length));
  return around(readable) > around(writable);
}

interface Shown {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly warnings: readonly string[];
}

function showReadOnly(path: string): Shown {
  const stat = statOf(path);
  if (!stat) return { path, arguments: [], warnings: [`${path} does not exist on this machine, or can't be reached`] };
  if (!stat.isSymbolicLink()) return { path, arguments: ["--ro-bind", path, path], warnings: [] };
  const link = ["--symlink", readlinkSync(path), path];
  const target = realpathOf(path);
  if (!target) return { path, arguments: link, warnings: [`${path} leads nowhere on this machine`] };
  // What a link into /usr leads to is bound with /usr itself; any other target must be brought along.
  if (target.startsWith("/usr/")) return { path, arguments: link, warnings: [] };
  return { path, arguments: ["--ro-bind", target, target, ...link], warnings: [] };
}

interface Layer {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly directories: readonly string[];
  readonly overlay?: Overlay;
}

/** One step for a whole path. */
const asStep = (path: string): string => path.slice(1).replaceAll("%", "%25").replaceAll("/", "%2F");

/** Of a folder whose layer is not mounted yet. */
function folderOverlay(
  { source, target, layer }: SandboxFolder,
  { overlayTargets }: MountSources,
): Overlay | undefined {
  return layer === undefined ? undefined : { lower: source, layer, target: join(overlayTargets, asStep(target)) };
}

function showWritable(path: string, sources: MountSources): Layer {
  const name = asStep(path);
  const layer = join(sources.layers, name);
  if (!statOf(path)?.isDirectory()) {
    const folder = join(layer, "upper");
    return { path, arguments: ["--bind", folder, path], directories: [folder] };
  }
  const target = join(sources.overlayTargets, name);
  return {
    path,
    arguments: ["--bind", target, path],
    directories: [join(layer, "upper"), join(layer, "work"), target],
    overlay: { lower: path, layer, target },
  };
}

/** Undefined for a path that is not there, or that this user may not reach: neither can be shown. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Where the package's files are inside the sandbox. */
export function runtimeMounts(nodePath: string, packageRoot: string): RuntimeMount[] {
  const inPackage = (path: string) => ({ source: join(packageRoot, path), target: join(RUNTIME, path) });
  return [
    { source: nodePath, target: join(RUNTIME, "node") },
    inPackage("dist"),
    inPackage(join("node_modules", "@lydell")),
  ];
}

/** Init's command line inside the sandbox. */
export const initCommand = [join(RUNTIME, "node"), ...initFlags(), join(RUNTIME, "dist", "init.cjs")];

/** Init is small and long-lived: a small young generation keeps its memory where it starts. */
function initFlags(): string[] {
  return ["--max-semi-space-size=1", "--disable-warning=ExperimentalWarning"];
}
