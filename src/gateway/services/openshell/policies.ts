import { create } from "@bufbuild/protobuf";
import { PolicySource } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { SandboxPolicyRevisionSchema, type UpdateConfigRequest } from "../../../gen/openshell/v1/policy_pb.ts";
import type { ListSandboxPoliciesRequest } from "../../../gen/openshell/v1/sandbox_pb.ts";
import { mergePolicy } from "../../../policy/merge.ts";
import type { GatewayContext } from "../../context.ts";
import { revisePolicy } from "../../policies/revise.ts";
import { isOfGateway } from "../../policies/settle-policy.ts";
import { isAboutGatewayPolicy, updateGatewayPolicy } from "../../policies/update-gateway-policy.ts";
import { failedPrecondition, invalid, notFound } from "../../refuse.ts";
import { effectiveSettings, settingMessages } from "../../settings/describe.ts";
import { GATEWAY_SETTINGS } from "../../settings/settings.ts";
import { updateSetting } from "../../settings/update-setting.ts";
import type { PolicyRevisionRecord, SandboxRecord } from "../../store/store.ts";
import type { Methods } from "./methods.ts";
import { pageLimit } from "./sandboxes.ts";

/** Policy revisions, and the configuration in force. */
export function policyMethods(context: GatewayContext): Methods {
  const { registry, store } = context;
  return {
    async updateConfig(request) {
      if (isAboutGatewayPolicy(request)) return updateGatewayPolicy(context, request);
      if (request.settingKey !== "") return updateSetting(context, request);
      refuseHalfSettings(request);
      const record = await registry.findByName(request.workspace, request.name);
      const { version, hash, status, loadError, warnings, unchanged } = await revisePolicy(context, record, {
        policy: await wantedPolicy(context, record, request),
        expectedResourceVersion: Number(request.expectedResourceVersion),
        provenance: { source: request.policy ? "set" : "update", ...request.annotations },
      });
      const { annotations } = request;
      const outcome = { policyStatus: status, loadError, warnings: [...warnings], unchanged };
      return { version, policyHash: hash, annotations, ...outcome };
    },
    async getSandboxPolicyStatus({ workspace, name, version, global }) {
      if (global) return gatewayPolicyStatus(context, version);
      const { id, status } = await registry.findByName(workspace, name);
      const revision = version === 0 ? await newest(context, id) : await store.policies.get(id, version);
      if (revision === undefined) throw notFound(`revision ${version} of the policy`);
      return { revision: revisionMessage(revision), activeVersion: status.currentPolicyVersion };
    },
    async listSandboxPolicies({ workspace, name, limit, offset, global }) {
      if (global) return { revisions: (await gatewayRevisions(context, { limit, offset })).map(revisionMessage) };
      const { id } = await registry.findByName(workspace, name);
      const revisions = await store.policies.list(id, { limit: pageLimit(limit), offset });
      return { revisions: revisions.map(revisionMessage) };
    },
    async getSandboxConfig({ sandboxId }) {
      const { id, workspace } = await registry.find(sandboxId);
      const revision = await store.policies.effective(id);
      if (revision === undefined) throw notFound("a policy that can be loaded");
      const { policy, version, hash } = revision;
      const configRevision = BigInt(version);
      const settings = await effectiveSettings(context, id);
      const source = isOfGateway(revision)
        ? { policySource: PolicySource.GLOBAL, globalPolicyVersion: Number(revision.provenance["version"]) }
        : { policySource: PolicySource.SANDBOX };
      const facts = { policyHash: hash, configRevision, ...source };
      return { policy, version, ...facts, settings, workspace };
    },
    async getGatewayConfig() {
      const { values, revision } = await context.settings.of(GATEWAY_SETTINGS);
      return { settings: settingMessages(values), settingsRevision: BigInt(revision) };
    },
  };
}

function refuseHalfSettings({ settingValue, deleteSetting }: UpdateConfigRequest): void {
  if (settingValue !== undefined || deleteSetting) throw invalid("`setting_key` is missing");
}

/** A revision of the gateway's policy, the one in force for 0, and which is in force; 0 if none is. */
async function gatewayPolicyStatus({ gatewayPolicy }: GatewayContext, version: number) {
  const inForce = await gatewayPolicy.inForce();
  const revision = version === 0 ? inForce : (await gatewayPolicy.list()).find((each) => each.version === version);
  if (revision === undefined) throw notFound(version === 0 ? "a policy of all sandboxes" : `its revision ${version}`);
  return { revision: revisionMessage(revision), activeVersion: inForce?.version ?? 0 };
}

async function gatewayRevisions(
  { gatewayPolicy }: GatewayContext,
  { limit, offset }: Pick<ListSandboxPoliciesRequest, "limit" | "offset">,
) {
  return (await gatewayPolicy.list()).slice(offset, offset + pageLimit(limit));
}

async function wantedPolicy({ store }: GatewayContext, { id }: SandboxRecord, request: UpdateConfigRequest) {
  const { policy, mergeOperations } = request;
  if (policy !== undefined && mergeOperations.length > 0) throw invalid("either a policy or merge operations");
  if (policy !== undefined) return policy;
  if (mergeOperations.length === 0) throw invalid("neither a policy nor merge operations");
  const current = await store.policies.effective(id);
  if (current === undefined) throw notFound("a policy to change");
  const merged = mergePolicy(current.policy, mergeOperations);
  if (merged.ok) return merged.policy;
  throw merged.kind === "malformed" ? invalid(merged.message) : failedPrecondition(merged.message);
}

async function newest({ store }: GatewayContext, id: string): Promise<PolicyRevisionRecord | undefined> {
  const [revision] = await store.policies.list(id, { limit: 1, offset: 0 });
  return revision;
}

function revisionMessage(revision: PolicyRevisionRecord) {
  const { version, hash, status, loadError, createdAtMs, loadedAtMs, policy, provenance } = revision;
  return create(SandboxPolicyRevisionSchema, {
    version,
    policyHash: hash,
    status,
    loadError,
    createdAtMs: BigInt(createdAtMs),
    loadedAtMs: BigInt(loadedAtMs),
    policy,
    provenance: { ...provenance },
  });
}
