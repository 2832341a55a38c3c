import { type JsonObject, toJson } from "@bufbuild/protobuf";
import { type SandboxPolicy, SandboxPolicySchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";

/**
 * A policy as supervisors get it: ProtoJSON with the fields' own names, which are those of the YAML form, so that a
 * supervisor reads it without loading the schema.
 */
export function policyJson(policy: SandboxPolicy): JsonObject {
  return toJson(SandboxPolicySchema, policy, { useProtoFieldName: true }) as JsonObject;
}
