/** What the gateway keeps of a route to a model, and what it tells of one. */
import { create } from "@bufbuild/protobuf";
import {
  type GetInferenceRouteResponse,
  GetInferenceRouteResponseSchema,
  type RouteOptions,
  RouteOptionsSchema,
} from "../../gen/openshell/inference/v1/inference_pb.ts";
import type { Resource } from "../store/resource-store.ts";

export type RouteRecord = Resource<RouteBody>;

export interface RouteBody {
  readonly provider: string;
  /** What the backend calls the model. */
  readonly model: string;
  /** For a whole call; 0: the default, as everywhere. */
  readonly timeoutSecs: number;
  readonly isDefault: boolean;
  readonly aliases: readonly string[];
  readonly fallbacks: readonly string[];
  readonly retries: number;
  readonly connectTimeoutSecs: number;
  readonly firstByteTimeoutSecs: number;
  readonly idleTimeoutSecs: number;
  /** 0: no limit, here and below. */
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
}

/** The route that is meant when none is named. */
export const DEFAULT_ROUTE = "inference.local";
/** For OpenShell's own use: nothing in a sandbox can ask for it. */
export const SYSTEM_ROUTE = "sandbox-system";

export function optionsOf(body: RouteBody): RouteOptions {
  return create(RouteOptionsSchema, { ...body, aliases: [...body.aliases], fallbacks: [...body.fallbacks] });
}

export function routeMessage({ name, workspace, resourceVersion, body }: RouteRecord): GetInferenceRouteResponse {
  return create(GetInferenceRouteResponseSchema, {
    providerName: body.provider,
    modelId: body.model,
    version: BigInt(resourceVersion),
    routeName: name,
    timeoutSecs: BigInt(body.timeoutSecs),
    workspace,
    options: optionsOf(body),
  });
}
