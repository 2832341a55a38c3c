/** Devices for a sandbox, in the form in which its engine takes them. There is no other way for one to get a device. */
import { failedPrecondition } from "../../refuse.ts";
import type { Demands } from "../driver.ts";

/** What an engine tells of itself. */
export interface EngineFacts {
  readonly name: "docker" | "podman";
  /** Its version, as `28.2.2`. */
  readonly version: string;
  /** Names of the Container Device Interface that it has found; absent where it does not tell. */
  readonly devices?: readonly string[];
}

/** An element of `HostConfig.DeviceRequests`. */
type DeviceRequest =
  | { readonly Driver: "cdi"; readonly DeviceIDs: readonly string[] }
  | { readonly Count: number; readonly Capabilities: readonly (readonly string[])[] };

/** Before that Podman drops what is asked for in this form without a word. */
const LEAST_PODMAN = 5;
const GPU = /\/gpu=/;

/** Throws FAILED_PRECONDITION where the engine would not give them. */
export function deviceRequests(
  gpus: Demands["gpus"],
  named: readonly string[],
  engine: EngineFacts,
): readonly DeviceRequest[] {
  if (gpus === undefined && named.length === 0) return [];
  if (engine.name === "podman" && Number.parseInt(engine.version, 10) < LEAST_PODMAN) {
    throw failedPrecondition(`devices need Podman ${LEAST_PODMAN}.0 or newer; this one is ${engine.version}`);
  }
  const byName = named.length === 0 ? [] : [{ Driver: "cdi", DeviceIDs: named } as const];
  return gpus === undefined ? byName : [gpuRequest(gpus, engine), ...byName];
}

/** By their names where the engine knows some, or has no other way; else as `docker run --gpus` asks. */
function gpuRequest(gpus: NonNullable<Demands["gpus"]>, { name, devices = [] }: EngineFacts): DeviceRequest {
  const found = devices.filter((device) => GPU.test(device));
  const all = found.find((device) => device.endsWith("=all"));
  const single = found.filter((device) => /=\d+$/.test(device)).sort();
  if (name === "docker" && found.length === 0) {
    return { Count: gpus === "all" ? -1 : gpus, Capabilities: [["gpu"]] };
  }
  if (gpus === "all")
    return {
      Driver: "cdi",
      DeviceIDs: all === undefined && single.length > 0 ? single : [all ?? "nvidia.com/gpu=all"],
    };
  if (found.length > 0 && single.length < gpus) {
    throw failedPrecondition(`${gpus} GPUs are wanted, and ${name} has ${single.length}`);
  }
  const DeviceIDs = Array.from({ length: gpus }, (_, index) => single[index] ?? `nvidia.com/gpu=${index}`);
  return { Driver: "cdi", DeviceIDs };
}
