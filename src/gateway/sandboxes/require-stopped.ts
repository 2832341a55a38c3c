import type { GatewayContext } from "../context.ts";
import { failedPrecondition } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";

/** Throws FAILED_PRECONDITION while anything of the sandbox may run; `before` says what would go wrong: `it is copied`. */
export function requireStopped(
  { driver }: GatewayContext,
  { name, desired, supervisor }: SandboxRecord,
  before: string,
): void {
  if (desired === "deleted") throw failedPrecondition(`sandbox "${name}" is being deleted`);
  if (supervisor === undefined || !driver.isRunning(supervisor)) return;
  throw failedPrecondition(
    `sandbox "${name}" is running: stop it before ${before}, with "openshell sandbox stop ${name}", and start it after`,
  );
}
