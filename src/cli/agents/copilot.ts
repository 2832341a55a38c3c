/** GitHub's Copilot CLI (`copilot help providers`, `copilot help environment`). */
import { type Agent, NO_KEY, OPENAI_INFERENCE } from "./agent.ts";

export const copilot: Agent = {
  command: "copilot",
  package: "@github/copilot",
  providerTypes: ["copilot"],
  speaksInference: true,
  modelVariables: ["COPILOT_PROVIDER_BASE_URL", "COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"],
  setup: (source) => ({
    environment: {
      COPILOT_AUTO_UPDATE: "false",
      ...(source.kind === "inference" && {
        COPILOT_PROVIDER_BASE_URL: OPENAI_INFERENCE,
        COPILOT_PROVIDER_API_KEY: NO_KEY,
        COPILOT_MODEL: source.model,
        // It asks GitHub for nothing then.
        COPILOT_OFFLINE: "true",
      }),
    },
  }),
};
