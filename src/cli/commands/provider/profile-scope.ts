import type { CommandContext } from "../../command-context.ts";

/** The workspace to ask about profiles; with `--global` none, which stands for all of them (docs/api.md). */
export function profileScope(
  { global: isGlobal }: { readonly global: boolean | undefined },
  context: CommandContext,
): string {
  return isGlobal ? "" : context.globals.workspace;
}
