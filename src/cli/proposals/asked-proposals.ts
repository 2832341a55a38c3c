/** The sandbox and the proposal that a command is about. */
import type { PolicyChunkJson } from "../../gen/openshell/v1/advisor_pb.ts";
import type { Gateway } from "../api/gateway.ts";
import { rememberSandbox, sandboxName } from "../api/last-sandbox.ts";
import { getSandbox } from "../api/methods.ts";
import { getDraftPolicy } from "../api/proposal-methods.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure, usageFailure } from "../command-failure.ts";
import { text } from "../flags/flag.ts";

export const sandboxPositional = {
  name: { kind: "optional", summary: "the sandbox; the one used last if left out" },
} as const;

export const chunkIdFlag = text("the proposal, by its id or as much of it as is unique", { placeholder: "ID" });

/** What each request about proposals begins with. */
export interface AskedSandbox {
  readonly gateway: Gateway;
  readonly name: string;
  readonly workspace: string;
}

/** Throws CommandFailure for a sandbox that does not exist, which would else be the one used last. */
export async function askedSandbox(context: CommandContext, named: string | undefined): Promise<AskedSandbox> {
  const gateway = await context.gateway();
  const name = sandboxName(named, gateway, context);
  const { workspace } = context.globals;
  await gateway.channel.unary(getSandbox, { name, workspace });
  rememberSandbox(name, gateway, context);
  return { gateway, name, workspace };
}

/** @param status `pending`, `approved`, `rejected`; empty: all. */
export async function listProposals({ gateway, name, workspace }: AskedSandbox, status: string) {
  const { chunks = [] } = await gateway.channel.unary(getDraftPolicy, { name, workspace, statusFilter: status });
  return chunks;
}

/** Throws CommandFailure if no proposal, or more than one, is meant. */
export async function askedProposal(sandbox: AskedSandbox, id: string | undefined): Promise<PolicyChunkJson> {
  const hint = `see \`openshell policy proposals list ${sandbox.name}\``;
  if (id === undefined || id === "") throw usageFailure("--chunk-id is missing", hint);
  const found = (await listProposals(sandbox, "")).filter((chunk) => chunk.id?.startsWith(id));
  const [only, other] = found;
  if (only !== undefined && other === undefined) return only;
  const what =
    only === undefined ? `no proposal of ${sandbox.name} is` : `${found.length} proposals of ${sandbox.name} are`;
  throw new CommandFailure(`${what} called ${id}`, { code: "not_found", hint });
}
