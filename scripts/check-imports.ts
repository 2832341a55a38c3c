/**
 * Holds the walls between the parts of src/: who may import whom, no cycles, no names that say nothing. The walls are
 * rules and not packages, since only one package is published.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Each folder of src/ and the others it may import from. */
const mayImport: Record<string, readonly string[]> = {
  aws: ["net", "secrets"],
  cli: ["engine", "gen", "inference", "linux", "locations", "net", "ocsf", "policy", "relay", "transfer", "workspace"],
  engine: ["locations", "net/system-certificates.ts", "supervisor/launch-spec.ts"],
  gateway: [
    "aws",
    "engine",
    "gen",
    "inference",
    "locations",
    "linux",
    "net",
    "policy",
    "secrets",
    "supervisor/launch-spec.ts",
    "supervisor/pod-setup/pod-layout.ts",
    "supervisor/sandbox-processes.ts",
    "ocsf",
    "workspace",
  ],
  inference: ["aws", "gen", "policy/match", "secrets"],
  supervisor: ["aws", "gen", "inference", "init/protocol.ts", "linux", "net", "ocsf", "policy", "relay", "secrets"],
  init: ["linux"],
  linux: ["net"],
  locations: ["linux"],
  net: ["policy", "ocsf"],
  ocsf: ["net", "policy"],
  policy: ["net", "ocsf", "gen"],
  relay: [],
  secrets: ["linux/standard-error.ts"],
  sftp: [],
  transfer: [],
  workspace: ["linux", "transfer/entry-path.ts"],
};

const meaningless = /^(utils?|helpers?|common|misc|manager|run|types)$/;
const files = globSync("src/**/*.ts").filter((path) => !path.startsWith("src/gen/") && !path.endsWith(".test.ts"));
const imports = new Map(files.map((path) => [path, importsOf(path)]));
const faults = [...files.flatMap(wallFaults), ...files.flatMap(nameFaults), ...files.flatMap(koffiFaults), ...cycles()];

/** Modules of ours that a file imports at run time or for types, as paths from the root. */
function importsOf(path: string): { target: string; isType: boolean }[] {
  const pattern = /^(?:import|export)\s+(type\s+)?[^"';]*?from\s+"(\.[^"]+)"/gm;
  return [...readFileSync(path, "utf8").matchAll(pattern)].map(([, type, target]) => {
    return { target: normalize(join(dirname(path), target ?? "")), isType: type !== undefined };
  });
}

function wallFaults(path: string): string[] {
  const [, folder = ""] = path.split("/");
  // A file at the root of src/ is a constant that every program shares.
  if (path.split("/").length === 2) return [];
  const allowed = mayImport[folder];
  if (!allowed) return [`${path}: a new folder needs its rule in scripts/check-imports.ts`];
  return (imports.get(path) ?? [])
    .map(({ target }) => target.replace(/^src\//, ""))
    .filter((target) => !target.startsWith(`${folder}/`))
    .filter(
      (target) => target.includes("/") && !allowed.some((rule) => target === rule || target.startsWith(`${rule}/`)),
    )
    .map((target) => `${path}: ${folder} must not import ${target}`);
}

function nameFaults(path: string): string[] {
  const name = path.split("/").at(-1)?.replace(/\.ts$/, "") ?? "";
  return meaningless.test(name) ? [`${path}: a name that says nothing`] : [];
}

function koffiFaults(path: string): string[] {
  const isKernel = path.startsWith("src/linux/");
  return !isKernel && /from "koffi"/.test(readFileSync(path, "utf8")) ? [`${path}: only src/linux imports koffi`] : [];
}

/** Import cycles, type imports apart: those are gone at run time. */
function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push(`import cycle: ${[...trail.slice(trail.indexOf(path)), path].join(" → ")}`);
      return;
    }
    if (done.has(path)) return;
    for (const { target, isType } of imports.get(path) ?? []) if (!isType) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of files) visit(path, []);
  return found;
}

console.log(`${files.length} files, ${faults.length} faults`);
for (const fault of faults) console.error(`check-imports: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
