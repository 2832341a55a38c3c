/**
 * A coding agent that people use, as data: how it is called, where it comes from, and how it is told which model to ask.
 * Adding one is copying a file beside this one, and a line in known-agents.ts.
 */

/** Where an agent's answers come from. */
export type ModelSource =
  /** The operator's models, at inference.local. `model` is what to ask for; the routes decide what that means. */
  | { readonly kind: "inference"; readonly model: string }
  /** An API of its own, with a placeholder for the key. `baseUrl` is set where the provider says so. */
  | { readonly kind: "provider"; readonly type: string; readonly baseUrl?: string };

/** What makes an agent use a source of models. */
export interface AgentSetup {
  readonly environment: Readonly<Record<string, string>>;
  /** Files in the sandbox's home, by their paths there. Those that are there already stay as they are. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Agent {
  /** What is typed. */
  readonly command: string;
  /** The npm package that holds it. */
  readonly package: string;
  /** Types of providers whose keys it can use, the most fitting first. */
  readonly providerTypes: readonly string[];
  /** Whether it speaks a dialect that inference.local understands. */
  readonly speaksInference: boolean;
  /** Whoever sets one of these says by himself which model the agent uses. */
  readonly modelVariables: readonly string[];
  readonly setup: (source: ModelSource) => AgentSetup;
}

/** The part of inference.local that speaks OpenAI's dialects; Anthropic's clients leave out the version. */
export const OPENAI_INFERENCE = "https://inference.local/v1";
export const ANTHROPIC_INFERENCE = "https://inference.local";

/** For agents that don't start without a key. It is worth nothing anywhere: inference.local throws it away. */
export const NO_KEY = "not-a-key-inference-local-needs-none";

export function jsonFile(content: unknown): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
