import { DEFAULT_WORKSPACE } from "../flags/global-flags.ts";
import type { Gateway } from "./gateway.ts";
import { getSandbox } from "./methods.ts";

/**
 * What calls that want a sandbox's id are given: the gateway finds the default workspace's sandboxes by name as well, which
 * saves a question.
 */
export async function idOrName(name: string, workspace: string, { channel }: Gateway): Promise<string> {
  if (workspace === DEFAULT_WORKSPACE) return name;
  const { sandbox } = await channel.unary(getSandbox, { name, workspace });
  return sandbox?.metadata?.id ?? "";
}
