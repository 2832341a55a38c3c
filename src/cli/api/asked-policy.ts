/** A policy as people name it on a command line: a revision of a sandbox's, or a file. */
import type { Policy } from "../../policy/policy.ts";
import type { CommandContext } from "../command-context.ts";
import { readPolicyFile } from "../policy-file.ts";
import { policyFromGateway } from "../policy-json.ts";
import { sandboxName } from "./last-sandbox.ts";
import { getSandboxPolicyStatus } from "./methods.ts";

/** @returns the policy of a revision's number or a file's path. Throws CommandFailure, or RpcError for no such revision. */
export async function askedPolicy(
  asked: string,
  sandbox: string | undefined,
  context: CommandContext,
): Promise<Policy> {
  if (!/^\d{1,9}$/.test(asked)) return await readPolicyFile(asked, context);
  const gateway = await context.gateway();
  const name = sandboxName(sandbox, gateway, context);
  const { workspace } = context.globals;
  const { revision } = await gateway.channel.unary(getSandboxPolicyStatus, { name, version: Number(asked), workspace });
  return policyFromGateway(revision?.policy ?? {});
}
