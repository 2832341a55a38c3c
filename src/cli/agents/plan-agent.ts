/** What a sandbox for an agent is made with, before there is one. */
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import type { Agent, AgentSetup } from "./agent.ts";
import { chooseModel, type Typed } from "./choose-model.ts";
import { agentPresets } from "./known-agents.ts";

export interface AgentPlan extends AgentSetup {
  readonly agent: Agent;
  readonly providers: readonly string[];
}

/**
 * Says in a line what the agent gets. Throws CommandFailure where it would have no model.
 * `hasPolicy`: the user gave one, which stands as it is.
 */
export async function planAgent(
  agent: Agent,
  typed: Typed & { readonly hasPolicy: boolean },
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<AgentPlan> {
  const { source, attach, words } = await chooseModel(agent, typed, { gateway, context });
  const reach = typed.hasPolicy ? "reaches what your policy allows" : `may fetch with git (${agentPresets.join(", ")})`;
  context.note(`${agent.command}: uses ${words}; ${reach}`);
  const setup: AgentSetup = source === undefined ? { environment: {} } : agent.setup(source);
  return { ...setup, agent, providers: [...typed.providers, ...(attach === undefined ? [] : [attach])] };
}
