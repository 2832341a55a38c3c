/** What a sandbox may use, read from its template's `resources`: the form of Kubernetes, `limits` with quantities. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { SandboxSpec } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { ComputeDriver, Limits, Resources } from "../drivers/driver.ts";
import { folderRequests } from "../folders/requests.ts";
import { failedPrecondition, invalid } from "../refuse.ts";
import { imageOf } from "../store/store.ts";

/** What a sandbox takes before anything runs in it, and a little more. */
const LEAST_MEMORY_BYTES = 128 * 1024 * 1024;
const LEAST_CPU_MILLIS = 10;
/** The first program inside has a dozen threads. */
const LEAST_PROCESSES = 64;

/** Less than a shell's history, a checkout and a build need. */
const LEAST_DISK_BYTES = 16 * 1024 * 1024;
/** Kubernetes' name for what may be written beside volumes. */
const DISK = "ephemeral-storage";

const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  m: 0.001,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The sandbox's limits. Throws INVALID_ARGUMENT for what is none, or is none that this gateway knows. */
export function limitsOf({ template }: Pick<SandboxSpec, "template">): Limits {
  const resources = template?.resources ?? {};
  const unknown = Object.keys(resources).filter((name) => name !== "limits" && name !== "requests");
  if (unknown[0] !== undefined) throw invalid(`resources: "${unknown[0]}" is not limits or requests`);
  const limits = resources["limits"] ?? {};
  if (!isObject(limits)) throw invalid("resources: limits must be an object");
  const { cpu, memory, pids, [DISK]: disk, ...others } = limits;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw invalid(`resources: this gateway can't limit "${other}"; it knows cpu, memory, pids, ${DISK}`);
  return {
    ...(cpu !== undefined && { cpuMillis: atLeast("cpu", quantity("cpu", cpu) * 1000, LEAST_CPU_MILLIS) }),
    ...(memory !== undefined && { memoryBytes: atLeast("memory", quantity("memory", memory), LEAST_MEMORY_BYTES) }),
    ...(disk !== undefined && { diskBytes: atLeast(DISK, quantity(DISK, disk), LEAST_DISK_BYTES) }),
    ...(pids !== undefined && { processes: atLeast("pids", quantity("pids", pids), LEAST_PROCESSES) }),
  };
}

/** Throws FAILED_PRECONDITION, with the name of what can't be had on this machine: nothing is dropped. */
export function requireResources(driver: ComputeDriver, spec: SandboxSpec): Resources {
  const gpu = spec.resourceRequirements?.gpu;
  if (gpu?.count === 0) throw invalid("no GPUs are asked for: leave it out");
  const driverConfig = spec.template?.driverConfig;
  const resources: Resources = {
    limits: limitsOf(spec),
    ...(gpu && { gpus: gpu.count ?? "all" }),
    ...(driverConfig && { driverConfig }),
  };
  const why = driver.whyNot({ ...resources, folders: folderRequests(spec) }, imageOf(spec));
  if (why !== undefined) throw failedPrecondition(why);
  return resources;
}

function quantity(name: string, value: unknown): number {
  const [, number = "", suffix = ""] = /^(\d{1,15}(?:\.\d{1,9})?)([a-zA-Z]{0,2})$/.exec(String(value)) ?? [];
  const factor = SUFFIXES[suffix];
  if (number === "" || factor === undefined) throw invalid(`resources: ${name}: "${String(value)}" is not a quantity`);
  return Number(number) * factor;
}

function atLeast(name: string, value: number, least: number): number {
  const whole = Math.round(value);
  if (whole >= least && Number.isSafeInteger(whole)) return whole;
  const shown =
    name === "cpu" ? `${least}m` : name === "memory" || name === DISK ? `${least / 2 ** 20}Mi` : String(least);
  throw invalid(`resources: ${name} must be at least ${shown}: less than that no sandbox can start with`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
