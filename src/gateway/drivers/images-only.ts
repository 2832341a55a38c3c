/** In place of the driver of this machine, where the gateway is in a container and has none: it says so. */
import { notAvailable } from "../refuse.ts";
import type { ComputeDriver } from "./driver.ts";
import { isRunning } from "./local/kill-processes.ts";

const WHY =
  "this gateway is in a container, and makes sandboxes from images only: name one with --from, or a usual one with `gateway start --sandbox-image`";

/** `name` is the engine's. */
export function imagesOnly(name: string, version: string): ComputeDriver {
  const none = async (): Promise<never> => {
    throw notAvailable(WHY);
  };
  return {
    ...{ name, version, isRunning },
    ...{ claim: none, prepare: none, fork: none, saveState: none, restoreState: none, removeSavedState: none },
    whyNot: () => WHY,
    policyOf: async () => undefined,
    layer() {
      throw notAvailable(WHY);
    },
    savedStates: async () => [],
    // There are none of its own.
    isHere: () => false,
    wake: () => {},
    kill: async () => {},
    remove: async () => {},
    sweep: async () => {},
    close: async () => {},
  };
}
