/**
 * The gateway's policy comes into a sandbox, and leaves it again, as revisions of the sandbox's own, so that its history tells
 * what was in force. It takes the place of the network's rules; the static sections stay as the sandbox was built with them.
 */
import { clone } from "@bufbuild/protobuf";
import { type SandboxPolicy, SandboxPolicySchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import type { GatewayContext } from "../context.ts";
import type { PolicyRevisionRecord, SandboxRecord } from "../store/store.ts";
import { checkPolicy } from "./check-policy.ts";
import { putInForce, type Revised, wholePolicy } from "./revise.ts";

/** Where a revision comes from that has the gateway's policy. */
const source = "gateway";

/** Whether a revision of a sandbox has the gateway's policy. */
export function isOfGateway({ provenance }: PolicyRevisionRecord): boolean {
  return provenance["source"] === source;
}

/** Makes every sandbox follow. Gives what went wrong, in words; one sandbox's trouble keeps no other from following. */
export async function settleAll(context: GatewayContext): Promise<string[]> {
  const records = await context.store.sandboxes.all();
  const problems = await Promise.all(records.map((record) => problemOf(context, record)));
  return problems.filter((problem) => problem !== undefined);
}

async function problemOf(context: GatewayContext, record: SandboxRecord): Promise<string | undefined> {
  if (record.desired === "deleted") return undefined;
  try {
    const revised = await settle(context, record);
    if (revised?.status !== PolicyStatus.FAILED) return undefined;
    return `sandbox ${record.name} could not load it, and has what it had before: ${revised.loadError}`;
  } catch (error) {
    return `sandbox ${record.name} has what it had before: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The revision that a sandbox is to start with; undefined if none can be loaded. */
export async function settledPolicy(
  context: GatewayContext,
  record: SandboxRecord,
): Promise<PolicyRevisionRecord | undefined> {
  await settle(context, record);
  return context.store.policies.effective(record.id);
}

/** The newest revision that is a sandbox's own; undefined if none can be loaded. */
export async function ownRevision({ store }: GatewayContext, id: string): Promise<PolicyRevisionRecord | undefined> {
  const step = 100;
  for (let offset = 0; ; offset += step) {
    const revisions = await store.policies.list(id, { limit: step, offset });
    const own = revisions.find((revision) => revision.status !== PolicyStatus.FAILED && !isOfGateway(revision));
    if (own !== undefined || revisions.length < step) return own;
  }
}

/** Undefined where nothing has to change. */
async function settle(context: GatewayContext, record: SandboxRecord): Promise<Revised | undefined> {
  const current = await context.store.policies.effective(record.id);
  if (current === undefined) return undefined;
  const wanted = await context.gatewayPolicy.inForce();
  if (wanted !== undefined) {
    if (isOfGateway(current) && current.provenance["version"] === `${wanted.version}`) return undefined;
    const checked = checkPolicy(inPlaceOf(current.policy, wanted.policy));
    return putInForce(context, record, { checked, provenance: { source, version: `${wanted.version}` } });
  }
  if (!isOfGateway(current)) return undefined;
  const own = await ownRevision(context, record.id);
  if (own === undefined) return undefined;
  // Providers may have come and gone meanwhile.
  const checked = await wholePolicy(context, record, own.policy);
  return putInForce(context, record, { checked, provenance: { source: "own again", revision: `${own.version}` } });
}

function inPlaceOf(own: SandboxPolicy, { networkPolicies, networkMiddlewares }: SandboxPolicy): SandboxPolicy {
  return { ...clone(SandboxPolicySchema, own), networkPolicies, networkMiddlewares };
}
