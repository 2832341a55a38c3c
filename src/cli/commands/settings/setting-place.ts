/** Whose settings a command means: all sandboxes', or one sandbox's. */
import type { Gateway } from "../../api/gateway.ts";
import { sandboxName } from "../../api/last-sandbox.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { toggle } from "../../flags/flag.ts";

export const globalFlag = toggle("for every sandbox that has no value of its own");

/** As `UpdateConfig` takes it. Throws CommandFailure where both are named. */
export function settingPlace(
  named: string | undefined,
  isGlobal: boolean | undefined,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): { readonly global: true } | { readonly name: string; readonly workspace: string } {
  if (isGlobal && named !== undefined) throw usageFailure("either a sandbox or --global, not both");
  if (isGlobal) return { global: true };
  return { name: sandboxName(named, gateway, context), workspace: context.globals.workspace };
}
