import { activeGatewayName, gatewayTarget } from "../../api/gateway-target.ts";
import { getCurrentUser, health } from "../../api/methods.ts";
import { connectGateway } from "../../api/open-gateway.ts";
import { RpcError } from "../../api/rpc-error.ts";
import { versionSkew } from "../../api/version-skew.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure, EXIT_FAILURE } from "../../command-failure.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { fields } from "../../output/table.ts";

/** Reaching a gateway and being let in are two things, and fail for different reasons. */
interface StatusView {
  readonly gateway: string;
  readonly endpoint: string | null;
  readonly status: "connected" | "unreachable";
  readonly authentication: "authenticated" | "refused" | "unknown";
  readonly version: string | null;
  readonly problem: string | null;
}

export const command = defineCommand({
  name: "status",
  summary: "show whether the gateway answers, and whether it lets you in",
  details: "Looks only: a local gateway that does not run is not started.",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell status", meaning: "Is everything up" }],
  action: async (context, { flags }) => {
    const view = await look(context);
    if (flags.output !== "table") {
      context.print(await structured(flags.output, view));
    } else {
      const { style } = context;
      context.print(
        fields([
          ["Gateway", view.gateway],
          ["Endpoint", view.endpoint ?? undefined],
          ["Status", view.status === "connected" ? style.good("Connected") : style.bad("Unreachable")],
          [
            "Authentication",
            view.authentication === "authenticated" ? style.good("Authenticated") : view.authentication,
          ],
          ["Version", view.version ?? undefined],
          ["Problem", view.problem ?? undefined],
        ]),
      );
    }
    return view.authentication === "authenticated" ? 0 : EXIT_FAILURE;
  },
});

async function look(context: CommandContext): Promise<StatusView> {
  const target = gatewayTarget(context.globals, context.environment);
  const gateway = target.name ?? context.globals["gateway-endpoint"] ?? activeGatewayName(context.environment);
  const seen = { gateway, endpoint: target.endpoint ?? null, version: null, problem: null };
  try {
    const { channel } = await connectGateway(target, context);
    using _closed = channel;
    try {
      const { version = null } = await channel.unary(health, {});
      await channel.unary(getCurrentUser, {});
      const problem = versionSkew(version ?? undefined) ?? null;
      return { ...seen, status: "connected", authentication: "authenticated", version, problem };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const refused = error.code === "unauthenticated" || error.code === "permission_denied";
      return { ...seen, status: "connected", authentication: refused ? "refused" : "unknown", problem: error.message };
    }
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { ...seen, status: "unreachable", authentication: "unknown", problem: error.message };
  }
}
