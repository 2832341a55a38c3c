/**
 * Endpoints with `protocol: json-rpc` or `mcp`: rules about calls. One call of a batch that is not allowed denies all of
 * it, since the batch is forwarded as one request.
 */
import type { CompiledEndpoint } from "./compile-endpoint.ts";
import { compileGlob } from "./match/glob.ts";
import { knownMcpMethods, strictToolName } from "./mcp-methods.ts";
import type { Endpoint, RequestMatcher } from "./policy.ts";
import type { ContentNeed, RequestFacts, RpcMessage } from "./verdict.ts";

type CompiledRpc = Pick<CompiledEndpoint, "needs" | "allows" | "denies">;
type Call = Extract<RpcMessage, { kind: "call" }>;
type CallTest = (call: Call) => boolean;

/** Takes an endpoint that passed lint.ts. Responses are nothing that a client of JSON-RPC has to send. */
export function compileJsonRpc({ rules = [], denyRules, jsonRpcMaxBodyBytes: maxBytes }: Endpoint): CompiledRpc {
  const allowed = anyOf(rules.map(compileMethodRule));
  return {
    needs: needsFor(["POST"], { language: "json-rpc", maxBytes }),
    allows: ({ method, rpc }) =>
      method === "POST" && (rpc?.every((message) => message.kind === "call" && allowed(message)) ?? false),
    denies: deniesCall(anyOf(denyRules.map(compileMethodRule))),
  };
}

/**
 * MCP over HTTP. A client posts calls, and its responses to what the server asks back; it opens the stream that the server
 * speaks on with GET, and ends its session with DELETE. The last three say nothing that a rule could be about, and without
 * them no session works, so they pass on every endpoint that allows anything.
 */
export function compileMcp(endpoint: Endpoint): CompiledRpc {
  const { rules = [], denyRules, mcp } = endpoint;
  const ruled = anyOf(rules.map((rule) => compileCallRule(rule, endpoint)));
  // Whoever names tools means those tools, also where all methods are allowed.
  const isNarrowed = rules.some(({ tool }) => tool !== undefined);
  const known: CallTest = ({ method }) =>
    mcp.allowAllKnownMethods && knownMcpMethods.has(method) && !(isNarrowed && method === "tools/call");
  const allowed = (call: Call) => isSound(call, mcp.strictToolNames) && (ruled(call) || known(call));
  const allowsAnything = rules.length > 0 || mcp.allowAllKnownMethods;
  return {
    needs: needsFor(["POST", "GET", "DELETE"], { language: "json-rpc", maxBytes: mcp.maxBodyBytes }),
    // Without a body there is no message, and nothing that could be denied.
    allows: ({ rpc }) =>
      allowsAnything && (rpc?.every((message) => message.kind === "response" || allowed(message)) ?? false),
    denies: deniesCall(anyOf(denyRules.map((rule) => compileCallRule(rule, endpoint)))),
  };
}

function needsFor(methods: readonly string[], need: ContentNeed): CompiledEndpoint["needs"] {
  return ({ method, upgrade, rpc }) =>
    rpc === undefined && upgrade === undefined && methods.includes(method) ? need : undefined;
}

function deniesCall(denied: CallTest): (request: RequestFacts) => boolean {
  return ({ rpc = [] }) => rpc.some((message) => message.kind === "call" && denied(message));
}

function compileMethodRule({ method }: RequestMatcher): CallTest {
  return method === "*" ? () => true : (call) => call.method === method;
}

function compileCallRule({ method, tool }: RequestMatcher, { mcp }: Endpoint): CallTest {
  // Without a method a rule is about tools, or else about all that `allow_all_known_mcp_methods` takes for known.
  const asked = method ?? (tool === undefined ? undefined : "tools/call");
  const isMethod =
    asked === undefined ? (text: string) => knownMcpMethods.has(text) : compileGlob(asked, { classes: false });
  // Where names are not held to an alphabet, a glob is a name as well.
  const tools = tool?.map((text) =>
    mcp.strictToolNames ? compileGlob(text, { classes: true }) : (name: string) => name === text,
  );
  return (call) =>
    isMethod(call.method) &&
    (tools === undefined || tools.some((isTool) => call.tool !== undefined && isTool(call.tool)));
}

/** A tool call must say which tool. */
function isSound({ method, tool }: Call, strict: boolean): boolean {
  return method !== "tools/call" || (tool !== undefined && (!strict || strictToolName.test(tool)));
}

function anyOf(tests: readonly CallTest[]): CallTest {
  return (call) => tests.some((test) => test(call));
}
