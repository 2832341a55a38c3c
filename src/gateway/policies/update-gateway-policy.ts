import { PolicyStatus, type UpdateConfigRequest } from "../../gen/openshell/v1/policy_pb.ts";
import type { GatewayContext } from "../context.ts";
import { invalid } from "../refuse.ts";
import { checkPolicy } from "./check-policy.ts";
import { settleAll } from "./settle-policy.ts";

/** The name under which published clients delete it, as if it were a setting. */
const settingKey = "policy";

/** Whether a request is about the gateway's policy. */
export function isAboutGatewayPolicy(request: UpdateConfigRequest): boolean {
  return request.global && (request.settingKey === settingKey || request.settingKey === "");
}

/** Sets the policy of all sandboxes or takes it back, and answers when they have loaded what holds from now on. */
export async function updateGatewayPolicy(context: GatewayContext, request: UpdateConfigRequest) {
  const { name, policy, mergeOperations, deleteSetting, annotations } = request;
  if (name !== "") throw invalid("either a sandbox or all of them (global)");
  if (mergeOperations.length > 0) throw invalid("the gateway's policy is set as a whole");
  if (deleteSetting) {
    if (policy !== undefined) throw invalid("either a policy or its deletion");
    const deleted = await context.gatewayPolicy.remove();
    return { deleted, warnings: await settleAll(context) };
  }
  if (policy === undefined) throw invalid("`policy` is missing");
  const checked = checkPolicy(policy);
  const { version, unchanged } = await context.gatewayPolicy.set(checked);
  const warnings = [...checked.warnings, ...(await settleAll(context))];
  return { version, policyHash: checked.hash, policyStatus: PolicyStatus.LOADED, annotations, unchanged, warnings };
}
