/** What a gateway says there is, in the ledger's words. */

import type { Channel } from "../../../src/cli/api/channel.ts";
import { getGatewayConfig, getSandboxPolicyStatus, listSandboxes } from "../../../src/cli/api/methods.ts";
import { listProviders } from "../../../src/cli/api/provider-methods.ts";
import type { SandboxJson } from "../../../src/gen/openshell/v1/sandbox_pb.ts";
import { turnOf } from "./guarded.ts";

const workspace = "default";

export async function sandboxesOf(api: Channel): Promise<readonly SandboxJson[]> {
  return (await api.unary(listSandboxes, { workspace, limit: 1000 })).sandboxes ?? [];
}

/** @param worked sandboxes whose policies are changed; @param resting the one that is stopped and started */
export async function truth(
  api: Channel,
  { worked, resting }: { readonly worked: readonly string[]; readonly resting: string },
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { metadata, status } of await sandboxesOf(api)) {
    const name = metadata?.name ?? "";
    if (worked.includes(name)) continue;
    if (name !== resting) found.set(`sandbox ${name}`, metadata?.labels?.["turn"] ?? "");
    else found.set("resting", status?.phase === "SANDBOX_PHASE_STOPPED" ? "stopped" : "running");
  }
  for (const name of worked) {
    const { revision } = await api.unary(getSandboxPolicyStatus, { name, workspace });
    found.set(`policy of ${name}`, turnOf(revision?.policy ?? {}));
  }
  for (const { config } of (await api.unary(listProviders, { workspace })).providers ?? []) {
    found.set("provider", config?.["TURN"] ?? "");
  }
  const { settings } = await api.unary(getGatewayConfig, {});
  found.set("log_level", settings?.["log_level"]?.stringValue ?? "");
  return found;
}
