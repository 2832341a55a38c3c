/** The agents that `sandbox create` knows by their commands. */
import type { Agent } from "./agent.ts";
import { claude } from "./claude.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";
import { pi } from "./pi.ts";

export const knownAgents: readonly Agent[] = [claude, codex, opencode, gemini, copilot, pi];

/** The agent that a command line starts; a path to a program means that program and nothing else. */
export function agentOf([command]: readonly string[]): Agent | undefined {
  return knownAgents.find((agent) => agent.command === command);
}

/** What an agent may reach besides its model in a sandbox that was given no policy. */
export const agentPresets: readonly string[] = ["git-read-only"];
