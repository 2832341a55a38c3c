/** Which detached command of which sandbox is meant. */
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Gateway } from "./gateway.ts";
import { rememberSandbox, sandboxName } from "./last-sandbox.ts";
import { getSandbox } from "./methods.ts";
import { type SandboxView, sandboxView } from "./sandbox-view.ts";

/** The sandbox of that name, or the one used last. */
export async function namedSandbox(
  named: string | undefined,
  gateway: Gateway,
  context: CommandContext,
): Promise<SandboxView> {
  const name = sandboxName(named, gateway, context);
  const { sandbox = {} } = await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace });
  rememberSandbox(name, gateway, context);
  return sandboxView(sandbox);
}

/** The whole id of the command whose id begins so. Throws CommandFailure when it is none, or several. */
export function detachedId({ name, detached_commands }: SandboxView, typed: string): string {
  const meant = detached_commands.filter(({ id }) => typed !== "" && id.startsWith(typed));
  if (meant[0] !== undefined && meant.length === 1) return meant[0].id;
  const problem = meant.length === 0 ? "there is no command" : "there are several commands";
  throw new CommandFailure(`${problem} ${typed} in sandbox ${name}`, {
    code: "not_found",
    hint: `\`openshell sandbox command list ${name}\` shows them`,
  });
}
