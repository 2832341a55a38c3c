/**
 * The routes to models as a published supervisor asks for them. Ours is sent more of each by pushRoutes, unasked. Calls to
 * Bedrock are left out: there is no key that this form could hold for them.
 */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GetInferenceBundleResponseSchema,
  ResolvedRouteSchema,
} from "../../gen/openshell/inference/v1/inference_pb.ts";
import type { ModelRoute } from "../../inference/routes.ts";
import type { GatewayContext } from "../context.ts";

type Resolved = MessageInitShape<typeof ResolvedRouteSchema>;

export async function inferenceBundle(
  { routes, log, now }: GatewayContext,
  workspace: string,
): Promise<MessageInitShape<typeof GetInferenceBundleResponseSchema>> {
  const onUnusable = (name: string, error: unknown) => log.error(`inference route ${name} can't be used`, error);
  const all = await routes.resolve(workspace, onUnusable);
  const usable = all.routes.filter(({ providerType }) => providerType !== "aws-bedrock").map(resolvedRoute);
  const revision = createHash("sha256").update(JSON.stringify(usable)).digest("hex").slice(0, 16);
  return { routes: usable, revision, generatedAtMs: BigInt(now()) };
}

function resolvedRoute(route: ModelRoute) {
  return {
    name: route.name,
    protocols: [...route.dialects],
    apiKey: route.credential?.reveal() ?? "",
    modelId: route.model,
    providerType: route.providerType,
    ...placeOf(route),
  } satisfies Resolved;
}

/** A published supervisor knows nothing of Vertex AI's paths: it appends what it is told. */
function placeOf({ providerType, baseUrl, dialects }: ModelRoute) {
  if (providerType !== "google-vertex-ai") return { baseUrl, modelInPath: false };
  if (!dialects.includes("anthropic_messages")) {
    return { baseUrl: `${baseUrl}/endpoints/openapi`, modelInPath: false, requestPathOverride: "/chat/completions" };
  }
  return { baseUrl: `${baseUrl}/publishers/anthropic/models`, modelInPath: true, requestPathOverride: ":rawPredict" };
}
