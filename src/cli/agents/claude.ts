/** Anthropic's Claude Code (https://docs.anthropic.com/en/docs/claude-code/settings). */
import { type Agent, ANTHROPIC_INFERENCE, jsonFile, NO_KEY } from "./agent.ts";

export const claude: Agent = {
  command: "claude",
  package: "@anthropic-ai/claude-code",
  providerTypes: ["claude-code", "anthropic"],
  speaksInference: true,
  modelVariables: ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
  setup: (source) => ({
    environment: {
      // Telemetry and its own updates go to hosts that no policy here allows.
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      // A token and not a key: for a key it asks whether it may be used.
      ...(source.kind === "inference" && { ANTHROPIC_BASE_URL: ANTHROPIC_INFERENCE, ANTHROPIC_AUTH_TOKEN: NO_KEY }),
    },
    files: { ".claude.json": jsonFile({ hasCompletedOnboarding: true }) },
  }),
};
