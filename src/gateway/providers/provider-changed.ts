import type { GatewayContext } from "../context.ts";
import { revisePolicy } from "../policies/revise.ts";
import type { SandboxRecord } from "../store/store.ts";
import { pushCredentials } from "./push-credentials.ts";

/** Carries a change of a provider to the sandboxes that it is attached to. */
export async function providerChanged(context: GatewayContext, workspace: string, name: string): Promise<void> {
  for (const record of await sandboxesWith(context, workspace, name)) await sandboxChanged(context, record);
}

/** The sandboxes that a provider is attached to. */
export async function sandboxesWith(
  { store }: GatewayContext,
  workspace: string,
  name: string,
): Promise<SandboxRecord[]> {
  const all = await store.sandboxes.all();
  return all.filter((record) => record.workspace === workspace && record.spec.providers.includes(name));
}

/** Puts the credentials and the rules in force that follow from a sandbox's providers. */
export async function sandboxChanged(context: GatewayContext, record: SandboxRecord): Promise<void> {
  if (record.desired === "deleted") return;
  const session = context.sessions.get(record.id);
  // Before the rules: a request that a new rule lets pass finds its credential there.
  if (session !== undefined) await pushCredentials(context, session, record);
  // It holds without the rules of providers, which come back with the sandbox's own policy.
  if ((await context.gatewayPolicy.inForce()) !== undefined) return;
  const current = await context.store.policies.effective(record.id);
  if (current === undefined) return;
  const { policy } = current;
  await revisePolicy(context, record, { policy, expectedResourceVersion: 0, provenance: { source: "providers" } });
}
