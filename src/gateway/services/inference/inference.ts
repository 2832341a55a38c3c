import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { Inference, ValidatedEndpointSchema } from "../../../gen/openshell/inference/v1/inference_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { inferenceBundle } from "../../inference/bundle.ts";
import { routesChanged } from "../../inference/push-routes.ts";
import { routeMessage } from "../../inference/route.ts";
import { question, type Verified, verifyRoute } from "../../inference/verify.ts";
import { failedPrecondition } from "../../refuse.ts";
import { supervisedSandbox } from "../../server/caller.ts";
import { workspaceName } from "../../workspaces/workspace.ts";

/** A model that was asked for a word may say a hundred. */
const SHOWN_CHARACTERS = 200;

/** Routes to models. */
export function inferenceMethods(context: GatewayContext): Partial<ServiceImpl<typeof Inference>> {
  const { routes, log } = context;
  return {
    async getInferenceBundle(_request, { values }) {
      return inferenceBundle(context, (await supervisedSandbox(values, context.store)).workspace);
    },
    async setInferenceRoute(request) {
      const checked = await routes.check(request);
      const { model } = checked.body;
      const verified = request.noVerify ? undefined : await verifyRoute(checked.resolved, context.now());
      const stored = await routes.put(checked);
      await routesChanged(context, stored.workspace);
      log.info(`inference route ${stored.name} goes to ${model} of ${stored.body.provider}`);
      const { providerName, modelId, version, routeName, timeoutSecs, workspace } = routeMessage(stored);
      return {
        ...{ providerName, modelId, version, routeName, timeoutSecs, workspace },
        validationPerformed: verified !== undefined,
        validatedEndpoints: verified === undefined ? [] : [validated(verified)],
      };
    },
    async getInferenceRoute({ routeName, workspace }) {
      return routeMessage(await routes.find(workspace, routeName));
    },
    async listInferenceRoutes({ workspace }) {
      return { routes: (await routes.list(workspace)).map(routeMessage) };
    },
    async deleteInferenceRoute({ routeName, workspace: asked }) {
      const workspace = workspaceName(asked);
      const user = (await routes.list(workspace)).find(({ body }) => body.fallbacks.includes(routeName));
      if (user !== undefined) throw failedPrecondition(`"${routeName}" is a fallback of route "${user.name}"`);
      const deleted = await routes.remove(workspace, routeName);
      if (deleted) await routesChanged(context, workspace);
      return { deleted };
    },
    async getInferenceUsage({ sinceMs, workspace }) {
      const sums = await context.store.usage.sum(workspaceName(workspace), Number(sinceMs));
      return {
        usage: sums.map(({ sandboxName, route, provider, model, ...sum }) => ({
          ...{ sandboxName, routeName: route, providerName: provider, model },
          calls: BigInt(sum.calls),
          failures: BigInt(sum.failures),
          inputTokens: BigInt(sum.inputTokens),
          outputTokens: BigInt(sum.outputTokens),
        })),
      };
    },
    async testInferenceRoute({ routeName, workspace }) {
      const route = await routes.find(workspace, routeName);
      const verified = await verifyRoute(await routes.resolved(route), context.now());
      if (verified === undefined)
        throw failedPrecondition("there is no small request that this backend could be tried with");
      const { url, dialect, latencyMs, answer } = verified;
      return {
        endpoint: { url, protocol: dialect },
        latencyMs,
        question,
        modelId: route.body.model,
        answered: answer !== undefined,
        answer: answer?.text.slice(0, SHOWN_CHARACTERS) ?? "",
        modelServed: answer?.served.model ?? "",
        inputTokens: answer?.served.usage?.inputTokens ?? 0,
        outputTokens: answer?.served.usage?.outputTokens ?? 0,
      };
    },
  };
}

function validated({ url, dialect, answer }: Verified): MessageInitShape<typeof ValidatedEndpointSchema> {
  return { url, protocol: dialect, modelServed: answer?.served.model ?? "" };
}
