/** Built-in profiles of coding agents: their own APIs, for their own programs. */
import type { ProviderProfileJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { api, bearer, header, programs, settings } from "./parts.ts";
import { shapes } from "./shapes.ts";

const category = "PROVIDER_PROFILE_CATEGORY_AGENT";
/** What most agents run on; a rule also holds for what its program starts. */
const runtimes = ["/**/bin/node", "/**/bin/bun"];

export const agentProfiles: readonly ProviderProfileJson[] = [
  {
    id: "claude-code",
    displayName: "Claude Code",
    category,
    inferenceCapable: true,
    credentials: [header(["ANTHROPIC_API_KEY", "CLAUDE_API_KEY"], "x-api-key", shapes.anthropic)],
    discovery: settings("ANTHROPIC_BASE_URL"),
    endpoints: [api("api.anthropic.com")],
    binaries: programs("/**/bin/claude", "/**/bin/claude.exe", "/**/claude/versions/*", ...runtimes),
  },
  {
    id: "codex",
    displayName: "Codex",
    category,
    inferenceCapable: true,
    credentials: [bearer(["OPENAI_API_KEY"], shapes.openai)],
    discovery: settings("OPENAI_BASE_URL"),
    endpoints: [api("api.openai.com")],
    binaries: programs("/**/codex", ...runtimes),
  },
  {
    id: "opencode",
    displayName: "OpenCode",
    description: "Bind its key to the API that it uses with --config OPENCODE_BASE_URL=….",
    category,
    inferenceCapable: true,
    credentials: [bearer(["OPENCODE_API_KEY", "OPENROUTER_API_KEY", "OPENAI_API_KEY"], shapes.openai)],
    discovery: settings("OPENCODE_BASE_URL"),
    binaries: programs("/**/opencode", "/**/bin/opencode.exe", ...runtimes),
  },
  {
    id: "copilot",
    displayName: "GitHub Copilot",
    category,
    credentials: [bearer(["COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"], shapes.github)],
    endpoints: [
      api("api.github.com", "read-only"),
      { host: "api.github.com", port: 443, path: "/graphql", protocol: "graphql", access: "read-only" },
      api("api.githubcopilot.com"),
      api("api.individual.githubcopilot.com"),
      api("api.business.githubcopilot.com"),
      api("api.enterprise.githubcopilot.com"),
    ],
    binaries: programs("/**/copilot", ...runtimes),
  },
  {
    id: "cursor",
    displayName: "Cursor",
    category,
    credentials: [bearer(["CURSOR_API_KEY"], shapes.lettersAndDigits)],
    endpoints: [api("api2.cursor.sh")],
    binaries: programs("/**/cursor-agent", ...runtimes),
  },
];
