/** The drivers of a gateway as one: a sandbox from an image lives in containers, any other on this machine itself. */
import { notAvailable } from "../refuse.ts";
import type { ContainerDriver } from "./container/container-driver.ts";
import type { ComputeDriver, Demands, Placement } from "./driver.ts";

/** Each call goes to the driver that has the sandbox. */
export function createDrivers(local: ComputeDriver, containers: ContainerDriver): ComputeDriver {
  const isContainer = ({ image }: Placement) => image !== undefined;
  const onDisk = (placement: Placement): ComputeDriver => {
    if (!isContainer(placement)) return local;
    throw notAvailable("what a sandbox from an image has written can't be copied or reviewed: use `sandbox download`");
  };
  return {
    name: local.name,
    version: local.version,
    claim: (demands, image) => (image === undefined ? local.claim(demands) : containers.claim(demands, image)),
    prepare: (placement, demands) => (isContainer(placement) ? containers : local).prepare(placement, demands),
    images: containers,
    policyOf: (image) => containers.policyOf(image),
    whyNot(demands, image) {
      if (image === undefined) return whyNotWithoutImage(demands) ?? local.whyNot(demands);
      // An engine's containers are in control groups always.
      if (demands.limits.diskBytes === undefined) return undefined;
      return "disk can't be limited here: the files of a sandbox from an image are the engine's";
    },
    layer: (placement, target) => onDisk(placement).layer(placement, target),
    fork: async (from) => await onDisk(from).fork(from),
    saveState: async (placement, name) => await onDisk(placement).saveState(placement, name),
    savedStates: async (placement) => (isContainer(placement) ? [] : await local.savedStates(placement)),
    restoreState: async (placement, name) => await onDisk(placement).restoreState(placement, name),
    removeSavedState: async (placement, name) => await onDisk(placement).removeSavedState(placement, name),
    isHere: (placement) => (isContainer(placement) ? containers : local).isHere(placement),
    isRunning: local.isRunning,
    wake: local.wake,
    kill: (placement, process) =>
      isContainer(placement) ? containers.kill(placement) : local.kill(placement, process),
    remove: (placement) => (isContainer(placement) ? containers : local).remove(placement),
    async sweep(known) {
      await local.sweep(known.filter((placement) => !isContainer(placement)));
      await containers.sweep(known.filter(isContainer));
    },
    close: () => local.close(),
  };
}

function whyNotWithoutImage({ gpus, driverConfig }: Demands): string | undefined {
  if (gpus !== undefined) return "GPUs are for sandboxes from images: name one with --from";
  if (driverConfig !== undefined) return "options of an engine are for sandboxes from images: name one with --from";
  return undefined;
}
