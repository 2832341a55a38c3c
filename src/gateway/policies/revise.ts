import type { SandboxPolicy } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import type { GatewayContext } from "../context.ts";
import { type AttachedProvider, attachedProviders } from "../providers/attached-providers.ts";
import { withProviderRules } from "../providers/provider-rules.ts";
import { aborted, failedPrecondition } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";
import { type CheckedPolicy, checkPolicy, refuseStaticChange } from "./check-policy.ts";
import { pushRevision } from "./push.ts";

/** A supervisor compiles a policy in milliseconds. One that takes longer than this is asked for later. */
const LOAD_TIMEOUT_MS = 10_000;

export interface RevisionRequest {
  readonly policy: SandboxPolicy;
  /** 0: whatever it is. */
  readonly expectedResourceVersion: number;
  readonly provenance: Readonly<Record<string, string>>;
}

export interface Revised {
  readonly version: number;
  readonly hash: string;
  readonly status: PolicyStatus;
  readonly loadError: string;
  readonly warnings: readonly string[];
  /** It was the effective policy already; this is its revision. */
  readonly unchanged: boolean;
}

/**
 * Makes a new revision of a sandbox's policy, with the rules of its providers, and puts it in force: pushed to the
 * supervisor, and answered when it has been loaded. PENDING when no supervisor is connected; it is pushed when one comes. A policy that is already the
 * effective one makes no revision. Throws FAILED_PRECONDITION while the gateway has a policy of its own.
 */
export async function revisePolicy(
  context: GatewayContext,
  record: SandboxRecord,
  { policy, expectedResourceVersion, provenance }: RevisionRequest,
): Promise<Revised> {
  if ((await context.gatewayPolicy.inForce()) !== undefined) {
    throw failedPrecondition(
      "a policy of all sandboxes is in force, so that none can be given another; " +
        "`openshell policy delete --global` lets each have its own again",
    );
  }
  if (expectedResourceVersion !== 0 && expectedResourceVersion !== record.resourceVersion) {
    throw aborted(`sandbox "${record.name}" is at version ${record.resourceVersion}: read it again and repeat`);
  }
  return putInForce(context, record, { checked: await wholePolicy(context, record, policy), provenance });
}

/** The same for a policy that has all its rules, whoever's it is. */
export async function putInForce(
  context: GatewayContext,
  record: SandboxRecord,
  { checked, provenance }: { readonly checked: CheckedPolicy } & Pick<RevisionRequest, "provenance">,
): Promise<Revised> {
  const { store, sessions } = context;
  const { message, hash, warnings, policy: meant } = checked;
  const current = await store.policies.effective(record.id);
  if (current !== undefined) refuseStaticChange(current.policy, meant, record.name);
  if (current?.hash === hash) return { ...current, warnings, unchanged: true };
  const revision = { policy: message, hash, createdAtMs: context.now(), provenance };
  const version = await store.policies.append(record.id, revision);
  const session = sessions.get(record.id);
  const accepted = { version, hash, status: PolicyStatus.PENDING, loadError: "", warnings, unchanged: false };
  if (session === undefined) return accepted;
  // Asked for before it is sent, so that no answer is quicker than the question.
  const answer = session.policyOutcome(version, LOAD_TIMEOUT_MS);
  pushRevision(session, { ...revision, version, status: PolicyStatus.PENDING, loadError: "", loadedAtMs: 0 });
  const outcome = await answer;
  if (outcome === undefined) return accepted;
  const status = outcome.isLoaded ? PolicyStatus.LOADED : PolicyStatus.FAILED;
  return { ...accepted, status, loadError: outcome.loadError };
}

/** The policy with the rules of the sandbox's providers. Throws INVALID_ARGUMENT where these make no policy together. */
export async function wholePolicy(
  context: GatewayContext,
  record: SandboxRecord,
  policy: SandboxPolicy,
): Promise<CheckedPolicy> {
  return checkPolicy(withProviderRules(policy, await providersWithRules(context, record)));
}

/** The attached providers, unless a setting says that they open nothing by themselves. */
async function providersWithRules(context: GatewayContext, record: SandboxRecord): Promise<AttachedProvider[]> {
  const attached = await attachedProviders(context, record);
  return (await context.settings.effective(record.id, "providers_v2_enabled")) ? attached : [];
}
