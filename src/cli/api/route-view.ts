import type {
  GetInferenceRouteResponseJson,
  SetInferenceRouteResponseJson,
} from "../../gen/openshell/inference/v1/inference_pb.ts";

/** A route as scripts see it. */
export function routeView(route: GetInferenceRouteResponseJson) {
  const { options = {} } = route;
  return {
    name: route.routeName ?? "",
    provider: route.providerName ?? "",
    model: route.modelId ?? "",
    default: options.isDefault ?? false,
    aliases: options.aliases ?? [],
    fallbacks: options.fallbacks ?? [],
    retries: options.retries ?? 0,
    timeout_secs: Number(route.timeoutSecs ?? 0),
    connect_timeout_secs: options.connectTimeoutSecs ?? 0,
    first_byte_timeout_secs: options.firstByteTimeoutSecs ?? 0,
    idle_timeout_secs: options.idleTimeoutSecs ?? 0,
    requests_per_minute: options.requestsPerMinute ?? 0,
    tokens_per_minute: options.tokensPerMinute ?? 0,
    version: Number(route.version ?? 0),
  };
}

export type RouteView = ReturnType<typeof routeView>;

/** One line on what was set, and whether it was tried. */
export function setSentence({ routeName, modelId, providerName, ...answer }: SetInferenceRouteResponseJson): string {
  const [endpoint] = answer.validatedEndpoints ?? [];
  const tried = endpoint === undefined ? "not verified" : `verified at ${endpoint.url}`;
  return `${routeName}: ${modelId} of ${providerName}, ${tried}\n`;
}
