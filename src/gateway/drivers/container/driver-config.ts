/**
 * What a client may ask of an engine besides what every driver knows: `driver_config` of a sandbox's template, by the engine's
 * name, as the published clients send it. Nothing in it can take from the isolation: what is not named here is refused.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Problem } from "../../../policy/problem.ts";
import {
  flag,
  integer,
  listOf,
  oneOf,
  type Reader,
  record,
  report,
  text,
  type ValueOf,
} from "../../../policy/readers.ts";
import { type Json, type MapTree, type Tree, treeFromJson } from "../../../policy/tree.ts";
import type { FolderRequest } from "../driver.ts";
import { driverConfigRefusal } from "../driver-config-refusal.ts";

/** A volume of the engine's, or memory. */
export type OwnMount =
  | { readonly type: "volume"; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: "tmpfs"; readonly target: string; readonly bytes: number };

export interface DriverConfig {
  readonly mounts: readonly OwnMount[];
  readonly folders: readonly FolderRequest[];
  /** Names of the Container Device Interface, as `vendor.example/class=name`. */
  readonly devices: readonly string[];
}

const engines = ["docker", "podman"];
/** Without one a sandbox could fill the machine's memory past its own limit. */
const USUAL_TMPFS_BYTES = 64 * 1024 * 1024;
const MOST_TMPFS_BYTES = 2 ** 40;

/** Known options of engines that nobody gets here, and what each would be. */
const refused: Readonly<Record<string, string>> = {
  ...named(
    ["privileged", "security_opt", "seccomp", "apparmor", "masked_paths", "readonly_paths", "sysctls"],
    "end the confinement",
  ),
  ...named(["cap_add", "capabilities"], "give the agent capabilities"),
  ...named(["network", "network_mode", "networks", "ports", "dns", "extra_hosts"], "lead past the policy"),
  ...named(
    [
      "pid",
      "pid_mode",
      "ipc",
      "ipc_mode",
      "uts",
      "uts_mode",
      "userns",
      "userns_mode",
      "cgroup_parent",
      "cgroupns_mode",
    ],
    "share what is the machine's",
  ),
  ...named(
    ["devices", "device_cgroup_rules", "volumes_from", "runtime"],
    "show the agent more than was checked; for devices use cdi_devices, or --gpu",
  ),
  ...named(["user", "entrypoint", "cmd", "env", "image"], "run something else than init"),
};

const mount = record(
  {
    type: oneOf("bind", "volume", "tmpfs"),
    source: text,
    target: text,
    read_only: flag,
    size_bytes: integer(1, MOST_TMPFS_BYTES),
  },
  ["type", "target"],
);

const section = record({ mounts: listOf(mount), cdi_devices: listOf(cdiDevice()) });

/** The engine's part, checked. Throws INVALID_ARGUMENT with all that is wrong. */
export function readDriverConfig(config: JsonObject | undefined, engine: string): DriverConfig {
  const problems: Problem[] = [];
  const tree = treeFromJson((config ?? {}) as Json);
  const site = { key: [], problems };
  const entries = (tree as MapTree).entries ?? [];
  for (const { key, value } of entries) {
    if (!engines.includes(key))
      report({ key: [key], problems }, value, `is no engine; known are ${engines.join(", ")}`);
  }
  const own = entries.find(({ key }) => key === engine)?.value;
  const written = own === undefined ? {} : readSection(own, { ...site, key: [engine] });
  const mounts = (written?.mounts ?? []).map((one, index) => meant(one, { key: [engine, "mounts", index], problems }));
  if (problems.length > 0) throw driverConfigRefusal(problems);
  return {
    mounts: mounts.filter((one) => one !== undefined && "type" in one),
    folders: mounts.filter((one) => one !== undefined && "host" in one),
    devices: written?.cdi_devices ?? [],
  };
}

const readSection: Reader<ValueOf<typeof section>> = (tree, site) => {
  const isMap = tree.kind === "map";
  for (const { key, value } of isMap ? tree.entries : []) {
    const why = refused[key.toLowerCase()];
    if (why !== undefined) report({ ...site, key: [...site.key, key] }, value, `is never taken: it would ${why}`);
  }
  const known = isMap
    ? { ...tree, entries: tree.entries.filter(({ key }) => refused[key.toLowerCase()] === undefined) }
    : tree;
  return section(known, site);
};

type Written = ValueOf<typeof mount>;
type Site = Parameters<Reader<unknown>>[1];

function meant(written: Written, site: Site): OwnMount | FolderRequest | undefined {
  const { type, source = "", target = "", read_only: readOnly = true, size_bytes: bytes = USUAL_TMPFS_BYTES } = written;
  switch (type) {
    case undefined:
      return undefined;
    case "tmpfs":
      return { type, target, bytes };
    case "bind":
      return { host: source, target, access: readOnly ? "read-only" : "read-write" };
    case "volume":
      if (isVolumeName(source)) return { type, source, target, readOnly };
      return report(site, undefined, `"${source}" can't be a volume's name here; one of OpenShell's own is nobody's`);
    default:
      return type satisfies never;
  }
}

/** Of an engine's own volumes, and of none of ours: in those are the programs that all sandboxes run on, and gateways' keys. */
const isVolumeName = (name: string) => /^[a-zA-Z0-9][\w.-]{0,254}$/.test(name) && !name.startsWith("openshell-");

function cdiDevice(): Reader<string> {
  return (tree: Tree, site) => {
    const name = text(tree, site);
    if (name === undefined || /^[a-zA-Z][\w.-]*\/[a-zA-Z][\w.-]*=[a-zA-Z0-9][\w.:-]*$/.test(name)) return name;
    return report(site, tree, `must be a device's name as vendor.example/class=name, not "${name}"`);
  };
}

function named(keys: readonly string[], why: string): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, why]));
}
