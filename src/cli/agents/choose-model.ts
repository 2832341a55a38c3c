/**
 * Which model an agent asks: the operator's, by a route; else its own service, by a provider that there is or that can be
 * made of the caller's environment. Somebody who names a provider, or sets the agent's variables, is not overruled.
 */
import type { ProviderJson } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import type { Gateway } from "../api/gateway.ts";
import { gatewayTarget } from "../api/gateway-target.ts";
import { listInferenceRoutes } from "../api/inference-methods.ts";
import { createProvider, getProviderProfile, listProviders } from "../api/provider-methods.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { existingConfig, readCredentials, setCredentials } from "../secret-input.ts";
import type { Agent, ModelSource } from "./agent.ts";

/** What was typed beside the agent's command. */
export interface Typed {
  readonly providers: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** --auto-providers, --no-auto-providers, or neither. */
  readonly autoProviders: boolean | undefined;
}

export interface ModelChoice {
  /** Absent: the user sees to it. */
  readonly source?: ModelSource;
  /** The provider to attach besides those that were named. */
  readonly attach?: string;
  /** For the line that says what is done. */
  readonly words: string;
}

/** More than anybody keeps. */
const MAX_PROVIDERS = 1000;

/** Throws CommandFailure, with the ways to go on, where no model can be found. */
export async function chooseModel(
  agent: Agent,
  typed: Typed,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<ModelChoice> {
  const { workspace } = context.globals;
  if (agent.modelVariables.some((name) => Object.hasOwn(typed.environment, name))) {
    return { words: "the model that --env says" };
  }
  const { providers = [] } = await gateway.channel.unary(listProviders, { workspace, limit: MAX_PROVIDERS });
  const named = fitting(
    agent,
    providers.filter(({ metadata }) => typed.providers.includes(metadata?.name ?? "")),
  );
  if (named) return { source: sourceOf(named), words: providerWords(named) };
  const model = agent.speaksInference ? await operatorsModel(gateway, workspace) : undefined;
  if (model !== undefined) return { source: { kind: "inference", model }, words: "models at https://inference.local" };
  if (typed.autoProviders === false) return { words: "no model: --no-auto-providers" };
  const provider = fitting(agent, providers) ?? (await discover(agent, typed, { gateway, context }));
  if (provider === undefined) throw noModel(agent);
  return { source: sourceOf(provider), attach: provider.metadata?.name ?? "", words: providerWords(provider) };
}

/** The provider whose type fits best. */
function fitting({ providerTypes }: Agent, providers: readonly ProviderJson[]): ProviderJson | undefined {
  const usable = providers.filter(({ type = "" }) => providerTypes.includes(type));
  return usable.sort((a, b) => providerTypes.indexOf(a.type ?? "") - providerTypes.indexOf(b.type ?? ""))[0];
}

function sourceOf({ type = "", config = {} }: ProviderJson): ModelSource {
  const [, baseUrl] = Object.entries(config).find(([key]) => key.endsWith("_BASE_URL")) ?? [];
  return { kind: "provider", type, ...(baseUrl !== undefined && { baseUrl }) };
}

function providerWords({ metadata, type = "" }: ProviderJson): string {
  return `the ${type} provider "${metadata?.name ?? ""}", with a placeholder for its key`;
}

/** What to ask for: the default route's model; undefined if there are no routes. */
async function operatorsModel(gateway: Gateway, workspace: string): Promise<string | undefined> {
  const { routes = [] } = await gateway.channel.unary(listInferenceRoutes, { workspace });
  return (routes.find(({ options }) => options?.isDefault) ?? routes[0])?.modelId;
}

/** A provider made of the caller's variables. To a gateway elsewhere no key is sent unasked. */
async function discover(
  agent: Agent,
  { autoProviders }: Typed,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<ProviderJson | undefined> {
  const { workspace } = context.globals;
  if (!autoProviders && !gatewayTarget(context.globals, context.environment).isLocal) return undefined;
  for (const type of agent.providerTypes) {
    const { profile = {} } = await gateway.channel.unary(getProviderProfile, { id: type, workspace });
    const given = setCredentials(profile, context.environment);
    if (given.length === 0) continue;
    const credentials = await readCredentials(given, context);
    const { provider } = await gateway.channel.unary(createProvider, {
      provider: { metadata: { name: type }, type, credentials, config: existingConfig(profile, context) },
      workspace,
    });
    const keys = given.map(({ key }) => key).join(", ");
    context.note(`${agent.command}: keeps ${keys} of this environment, encrypted, as the provider "${type}"`);
    return provider;
  }
  return undefined;
}

function noModel({ command, providerTypes, speaksInference }: Agent): CommandFailure {
  const [type = ""] = providerTypes;
  const route = "`openshell inference set --provider NAME --model MODEL` gives all sandboxes a model";
  const own = `\`openshell provider create --type ${type} --from-existing\` keeps a key for ${command} itself`;
  const neither = "--no-auto-providers starts it without";
  return new CommandFailure(`there is no model for ${command} to ask`, {
    code: "failed_precondition",
    hint: [...(speaksInference ? [route] : []), own, neither].join("; or "),
  });
}
