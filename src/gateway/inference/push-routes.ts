/** Gives supervisors the routes to models: with the launch, and at once when one changes. */
import { fromJson } from "@bufbuild/protobuf";
import { type ModelRoutesJson, ModelRoutesSchema } from "../../gen/openshell/v1/supervisor_pb.ts";
import { modelRoutesToJson } from "../../inference/routes.ts";
import type { GatewayContext } from "../context.ts";
import type { SupervisorSession } from "../supervisors/session.ts";

/** The routes of a workspace, as a supervisor takes them. */
export async function routesForSupervisor(
  { routes, log }: GatewayContext,
  workspace: string,
): Promise<ModelRoutesJson> {
  const onUnusable = (name: string, error: unknown) => log.error(`inference route ${name} can't be used`, error);
  return modelRoutesToJson(await routes.resolve(workspace, onUnusable));
}

export async function pushRoutes(
  context: GatewayContext,
  session: SupervisorSession,
  workspace: string,
): Promise<void> {
  const value = fromJson(ModelRoutesSchema, await routesForSupervisor(context, workspace));
  session.send({ case: "modelRoutes", value });
}

/** A route has changed, or the provider of one: every sandbox of the workspace that runs hears of it. */
export async function routesChanged(context: GatewayContext, workspace: string): Promise<void> {
  for (const record of await context.store.sandboxes.all()) {
    const session = record.workspace === workspace ? context.sessions.get(record.id) : undefined;
    if (session !== undefined) await pushRoutes(context, session, workspace);
  }
}
