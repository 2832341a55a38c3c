/**
 * Installs an agent into a sandbox's home with npm, as a step that is shown. The registry may be read only meanwhile: the
 * rule for it is added before and taken back afterwards, both as revisions of the policy.
 */
import type { PolicyMergeOperationJson } from "../../gen/openshell/v1/policy_pb.ts";
import type { SandboxJson } from "../../gen/openshell/v1/sandbox_pb.ts";
import { packageRule } from "../../policy/presets/preset-rules.ts";
import { endpointToMessageJson } from "../../policy/wire-json.ts";
import { applyPolicy } from "../api/apply-policy.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { holdInterruptions } from "../hold-interruptions.ts";
import { npmRegistries, sitesIn } from "../presets/package-managers.ts";
import type { Agent } from "./agent.ts";
import { capturedSession } from "./captured-session.ts";

const RULE = "agent_installation";
const POLICY_WAIT_MS = 60_000;
/** For hundreds of megabytes over a slow line. */
const INSTALL_SECONDS = 15 * 60;
/** Of what npm says about a failure. */
const SHOWN_LINES = 15;

/** A cache in the home would stay there and be as large as the agent. npm does not look where other programs find authorities. */
const script = `
cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
npm install --global --prefix "$HOME/.local" --cache "$cache" --cafile "$SSL_CERT_FILE" \
  --no-audit --no-fund --no-update-notifier --loglevel=error "$@"
`;

interface Where {
  readonly gateway: Gateway;
  readonly context: CommandContext;
  /** The program that npm runs on, as the sandbox knows it. */
  readonly node: string;
}

export async function installAgent(agent: Agent, sandbox: SandboxJson, where: Where): Promise<void> {
  const { context, gateway, node } = where;
  const registries = await npmRegistries(context.environment);
  const sites = sitesIn(Object.values(registries).join("\n"));
  context.note(`${agent.command}: is not here; npm installs ${agent.package} into the sandbox's home …`);
  const started = Date.now();
  // The rule must not stay because somebody is impatient: the interrupted npm ends, and then the rule goes.
  using interruption = holdInterruptions(context.signals);
  const change = (operation: PolicyMergeOperationJson) => {
    const request = { name: sandbox.metadata?.name ?? "", mergeOperations: [operation] };
    return applyPolicy(request, gateway, { context, waitMs: POLICY_WAIT_MS });
  };
  const { endpoints, binaries } = packageRule(sites, [node]);
  const rule = { name: RULE, endpoints: endpoints.map(endpointToMessageJson), binaries: [...binaries] };
  await change({ addRule: { ruleName: RULE, rule } });
  try {
    if (interruption.exitCode === undefined) await npmInstall(agent, sandbox, { ...where, registries });
  } finally {
    await change({ removeRule: { ruleName: RULE } });
  }
  const { exitCode } = interruption;
  if (exitCode !== undefined) throw new CommandFailure(`${agent.command} was not started: interrupted`, { exitCode });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  context.note(`${agent.command}: is installed after ${seconds} s; the registry can't be reached any more`);
}

async function npmInstall(
  agent: Agent,
  sandbox: SandboxJson,
  { gateway, context, registries }: Where & { readonly registries: Readonly<Record<string, string>> },
): Promise<void> {
  const settings = Object.entries(registries).map(([key, url]) => `--${key}=${withoutLogin(url)}`);
  const request = {
    sandboxId: sandbox.metadata?.id ?? "",
    command: ["sh", "-c", script, "sh", ...settings, agent.package],
    timeoutSeconds: INSTALL_SECONDS,
  };
  const { exitCode, stdout, stderr } = await capturedSession(request, gateway, context);
  if (exitCode === 0) return;
  const said = `${stdout}${stderr}`.trim().split("\n").slice(-SHOWN_LINES).join("\n");
  throw new CommandFailure(`${agent.package} could not be installed: npm ended with ${exitCode}\n${said}`, {
    hint: `\`openshell logs ${sandbox.metadata?.name}\` shows what npm tried to reach`,
  });
}

/** Nobody in the sandbox learns a password that stands in the machine's own configuration. */
function withoutLogin(registry: string): string {
  const url = new URL(registry);
  url.username = "";
  url.password = "";
  return url.href;
}
