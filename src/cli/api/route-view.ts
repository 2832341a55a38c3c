import type {
  GetInferenceRouteResponseJson,
  SetInferenceRouteResponseJson,
} from "../../gen/openshell/inference/v1/inference_pb.ts";
import { printableLine } from "../output/printable.ts";

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
  const { modelServed: served = "" } = endpoint ?? {};
  const tried = endpoint === undefined ? "not verified" : `verified at ${endpoint.url}`;
  const another = isAnother(modelId ?? "", served) ? `, where ${printableLine(served)} answered instead` : "";
  return `${routeName}: ${modelId} of ${providerName}, ${tried}${another}\n`;
}

/** Some backends take any name, and answer with what they have. A longer name of the same model is none. */
function isAnother(asked: string, served: string): boolean {
  const [one, other] = [asked, served].map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")) as [
    string,
    string,
  ];
  return other !== "" && !one.includes(other) && !other.includes(one);
}
