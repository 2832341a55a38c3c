import type { GatewayContext } from "../context.ts";
import type { SandboxRecord } from "../store/store.ts";
import type { SupervisorSession } from "../supervisors/session.ts";
import { attachedCredentials, attachedProviders } from "./attached-providers.ts";

/** Sends a supervisor the credentials of its sandbox's providers as they are now; they count from the next request on. */
export async function pushCredentials(
  context: GatewayContext,
  session: SupervisorSession,
  record: SandboxRecord,
): Promise<void> {
  const attached = await attachedProviders(context, record);
  session.send({ case: "applyCredentials", value: attachedCredentials(context.vault, record.id, attached) });
}
