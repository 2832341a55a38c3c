/** Google's Gemini CLI (https://geminicli.com/docs/get-started/configuration). Its dialect inference.local does not know. */
import { type Agent, jsonFile } from "./agent.ts";

export const gemini: Agent = {
  command: "gemini",
  package: "@google/gemini-cli",
  providerTypes: ["gemini"],
  speaksInference: false,
  modelVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"],
  setup: (source) => ({
    environment: {
      // It asks otherwise whether its folder is to be trusted, and ends where nobody can answer.
      GEMINI_CLI_TRUST_WORKSPACE: "true",
      ...(source.kind === "provider" && source.baseUrl && { GOOGLE_GEMINI_BASE_URL: source.baseUrl }),
    },
    files: {
      ".gemini/settings.json": jsonFile({
        security: { auth: { selectedType: "gemini-api-key" } },
        general: { enableAutoUpdate: false },
        privacy: { usageStatisticsEnabled: false },
      }),
    },
  }),
};
