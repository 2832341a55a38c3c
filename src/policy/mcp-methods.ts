/** What MCP defines, up to its revision 2026-07-28. */

/** Calls and notifications that a client may send, for `allow_all_known_mcp_methods`. */
export const knownMcpMethods: ReadonlySet<string> = new Set([
  "initialize",
  "server/discover",
  "ping",
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/progress",
  "notifications/roots/list_changed",
  "notifications/tasks/status",
  "tools/list",
  "tools/call",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "subscriptions/listen",
  "prompts/list",
  "prompts/get",
  "completion/complete",
  "logging/setLevel",
  "tasks/list",
  "tasks/get",
  "tasks/result",
  "tasks/cancel",
]);

/** Names of tools with `mcp.strict_tool_names`: none of them can be read as two things. */
export const strictToolName = /^[A-Za-z0-9_.-]{1,128}$/;
