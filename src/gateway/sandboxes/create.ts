import { create } from "@bufbuild/protobuf";
import type { SandboxPolicy } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import {
  type CreateSandboxRequest,
  SandboxPhase,
  type SandboxSpec,
  SandboxSpecSchema,
  SandboxTemplateSchema,
} from "../../gen/openshell/v1/sandbox_pb.ts";
import { FolderRecord, FolderTooLarge } from "../../workspace/folder-record.ts";
import type { GatewayContext } from "../context.ts";
import type { ComputeDriver, PreparedSupervisor } from "../drivers/driver.ts";
import { checkFolders } from "../folders/check-folders.ts";
import { folderRequests, workspaceFolder } from "../folders/requests.ts";
import { routesForSupervisor } from "../inference/push-routes.ts";
import { checkPolicy, imagePolicy } from "../policies/check-policy.ts";
import { settledPolicy } from "../policies/settle-policy.ts";
import { attachedProviders } from "../providers/attached-providers.ts";
import { withProviderRules } from "../providers/provider-rules.ts";
import { alreadyExists, failedPrecondition } from "../refuse.ts";
import { GATEWAY_SETTINGS } from "../settings/settings.ts";
import { imageOf, type NewPolicyRevision, placementOf, type SandboxRecord } from "../store/store.ts";
import { workspaceName } from "../workspaces/workspace.ts";
import { type Instance, launch, newInstance } from "./launch.ts";
import { requireResources } from "./limits.ts";
import { requireSandboxName, suggestName } from "./names.ts";
import { requireOwnCommand } from "./own-command.ts";
import { newStatus } from "./status.ts";

/** Two thousand name pairs, then numbers: more attempts than this never happen. */
const MAX_NAME_ATTEMPTS = 10;

/**
 * Creates a sandbox and starts it; does not wait until it is ready.
 * Throws INVALID_ARGUMENT for a bad name or policy, ALREADY_EXISTS for a name that is taken.
 */
export async function createSandbox(context: GatewayContext, request: CreateSandboxRequest): Promise<SandboxRecord> {
  const workspace = workspaceName(request.workspace);
  if (request.name !== "") requireSandboxName(request.name);
  const spec = request.spec ?? create(SandboxSpecSchema, {});
  requireOwnCommand(spec);
  useImage(spec, context.sandboxImage);
  const resources = requireResources(context.driver, spec);
  const attached = await attachedProviders(context, { workspace, spec });
  const { values } = await context.settings.of(GATEWAY_SETTINGS);
  const asked = spec.policy ?? (await policyOfImage(context.driver, imageOf(spec)));
  const policy = checkPolicy(withProviderRules(asked, values.providers_v2_enabled === false ? [] : attached));
  const { filesystem } = policy.policy;
  spec.folders = await checkFolders(spec.folders, { filesystem, privateDirectories: context.privateDirectories });
  const revision: NewPolicyRevision = {
    policy: policy.message,
    hash: policy.hash,
    createdAtMs: context.now(),
    provenance: { source: asked === undefined ? "default" : spec.policy === undefined ? "image" : "create" },
  };
  if (request.name !== "" && (await context.store.sandboxes.getByName(workspace, request.name)) !== undefined) {
    throw alreadyExists(`sandbox "${request.name}"`);
  }
  const modelRoutes = await routesForSupervisor(context, workspace);
  const prepared = await context.driver.claim({ ...resources, folders: folderRequests(spec) }, imageOf(spec));
  const instance = newInstance(prepared);
  const wanted = newRecord(context, { request, spec, prepared, instance, workspace });
  let record: SandboxRecord | undefined;
  try {
    await recordWorkspace(context, wanted);
    record = await store(context, wanted, revision);
  } finally {
    if (record === undefined) await discard(context, prepared);
  }
  if (record === undefined) throw alreadyExists(`sandbox "${request.name}"`);
  const own = { ...revision, version: 1, status: PolicyStatus.PENDING, loadError: "", loadedAtMs: 0 };
  const pending = (await settledPolicy(context, record)) ?? own;
  const { token } = instance;
  launch(context, prepared, { record, token, policy: pending, attached, modelRoutes, runsCommand: true });
  context.log.info(`sandbox ${record.name} (${record.id}) created`);
  return record;
}

/** What an image asks for itself, where nobody asks for anything else. */
async function policyOfImage(driver: ComputeDriver, image: string | undefined): Promise<SandboxPolicy | undefined> {
  const text = image === undefined ? undefined : await driver.policyOf(image);
  return text === undefined || image === undefined ? undefined : imagePolicy(text, image);
}

/** What a sandbox is made from stays what it was when it was created, whatever the gateway is told later. */
function useImage(spec: SandboxSpec, usual: string | undefined): void {
  if (usual === undefined || imageOf(spec) !== undefined) return;
  spec.template ??= create(SandboxTemplateSchema);
  spec.template.image = usual;
}

/** How the workspace is now, by which it is later seen what else has changed there. Throws FAILED_PRECONDITION. */
async function recordWorkspace({ driver }: GatewayContext, record: SandboxRecord): Promise<void> {
  const folder = workspaceFolder(record.spec);
  if (!folder) return;
  try {
    await FolderRecord.take(folder.host, driver.layer(placementOf(record), folder.target).record);
  } catch (error) {
    if (!(error instanceof FolderTooLarge)) throw error;
    throw failedPrecondition(`${folder.host} can't be a workspace: ${error.message}; choose a folder in it`);
  }
}

/** A supervisor that was prepared in vain. */
async function discard({ driver }: GatewayContext, { placement, process }: PreparedSupervisor): Promise<void> {
  await driver.kill(placement, process);
  await driver.remove(placement);
}

interface NewSandbox {
  readonly request: CreateSandboxRequest;
  readonly spec: SandboxSpec;
  readonly prepared: PreparedSupervisor;
  readonly instance: Instance;
  readonly workspace: string;
}

function newRecord(context: GatewayContext, wanted: NewSandbox): SandboxRecord {
  const { request, spec, prepared, instance, workspace } = wanted;
  const { sandboxId, hostUid } = prepared.placement;
  return {
    id: sandboxId,
    workspace,
    name: request.name,
    createdAtMs: context.now(),
    labels: request.labels,
    annotations: request.annotations,
    resourceVersion: 1,
    desired: "running",
    spec,
    status: newStatus(request.name, { phase: SandboxPhase.PROVISIONING, startedAtMs: BigInt(context.now()) }),
    ...(hostUid !== undefined && { hostUid }),
    ...instance.record,
  };
}

/** Stores the record, under a found name if it has none; undefined when its name is taken. */
async function store(
  context: GatewayContext,
  record: SandboxRecord,
  revision: NewPolicyRevision,
): Promise<SandboxRecord | undefined> {
  if (record.name !== "") return (await context.store.sandboxes.create(record, revision)) ? record : undefined;
  for (let attempt = 0; attempt < MAX_NAME_ATTEMPTS; attempt += 1) {
    const name = suggestName(attempt);
    const named = { ...record, name, status: newStatus(name, record.status) };
    if (await context.store.sandboxes.create(named, revision)) return named;
  }
  return undefined;
}
