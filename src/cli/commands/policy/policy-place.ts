/** Whose policy a command is about: a sandbox's, or that of all sandboxes. */
import type { Gateway } from "../../api/gateway.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";

export interface PolicyPlace {
  /** As the API takes it. */
  readonly request: { readonly global: true } | { readonly name: string; readonly workspace: string };
  /** For people. */
  readonly title: string;
  /** For programs. */
  readonly document: { readonly scope: "global" } | { readonly scope: "sandbox"; readonly sandbox: string };
  /** Makes a sandbox, once it is known to be there, the one used last. */
  remember(): void;
}

/** Throws CommandFailure where both are named. */
export function policyPlace(
  named: string | undefined,
  isGlobal: boolean | undefined,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): PolicyPlace {
  if (isGlobal && named !== undefined) throw usageFailure("either a sandbox or --global, not both");
  if (isGlobal) {
    return { request: { global: true }, title: "all of them", document: { scope: "global" }, remember: () => {} };
  }
  const name = sandboxName(named, gateway, context);
  return {
    request: { name, workspace: context.globals.workspace },
    title: name,
    document: { scope: "sandbox", sandbox: name },
    remember: () => rememberSandbox(name, gateway, context),
  };
}
