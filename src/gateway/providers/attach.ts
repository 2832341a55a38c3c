/** Attaching a provider to a sandbox and detaching it: stored first, then in force in the sandbox if it runs. */
import { clone } from "@bufbuild/protobuf";
import { SandboxSpecSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { GatewayContext } from "../context.ts";
import { wholePolicy } from "../policies/revise.ts";
import { aborted, failedPrecondition } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";
import { attachedProviders } from "./attached-providers.ts";
import { sandboxChanged } from "./provider-changed.ts";

export interface AttachmentChange {
  readonly providerName: string;
  /** 0: whatever it is. */
  readonly expectedVersion: number;
}

export interface ChangedAttachment {
  readonly sandbox: SandboxRecord;
  /** False if it was so before. */
  readonly changed: boolean;
}

/**
 * Throws NOT_FOUND for an unknown provider, FAILED_PRECONDITION for one that sets another one's variable, INVALID_ARGUMENT
 * for one whose rules are no policy. Nothing is stored then.
 */
export async function attachProvider(
  context: GatewayContext,
  record: SandboxRecord,
  change: AttachmentChange,
): Promise<ChangedAttachment> {
  const { providerName } = change;
  await context.providers.find(record.workspace, providerName);
  const wanted = withProviders(record, [...record.spec.providers, providerName]);
  await attachedProviders(context, wanted);
  const current = await context.store.policies.effective(record.id);
  if (current !== undefined) await wholePolicy(context, wanted, current.policy);
  return store(context, record, { ...change, attach: true });
}

export function detachProvider(
  context: GatewayContext,
  record: SandboxRecord,
  change: AttachmentChange,
): Promise<ChangedAttachment> {
  return store(context, record, { ...change, attach: false });
}

async function store(
  context: GatewayContext,
  record: SandboxRecord,
  { providerName, expectedVersion, attach }: AttachmentChange & { readonly attach: boolean },
): Promise<ChangedAttachment> {
  if (expectedVersion !== 0 && expectedVersion !== record.resourceVersion) {
    throw aborted(`sandbox "${record.name}" is at version ${record.resourceVersion}: read it again and repeat`);
  }
  let changed = false;
  const sandbox = await context.registry.change(record.id, (current) => {
    const others = current.spec.providers.filter((name) => name !== providerName);
    changed = attach === (others.length === current.spec.providers.length);
    return changed ? withProviders(current, attach ? [...others, providerName] : others) : undefined;
  });
  if (sandbox === undefined) throw failedPrecondition(`sandbox "${record.name}" was deleted`);
  if (changed) await sandboxChanged(context, sandbox);
  return { sandbox, changed };
}

function withProviders(record: SandboxRecord, names: readonly string[]): SandboxRecord {
  const spec = clone(SandboxSpecSchema, record.spec);
  spec.providers = [...names];
  return { ...record, spec };
}
