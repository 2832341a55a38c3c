/**
 * Policy ↔ openshell.sandbox.v1.SandboxPolicy. Both ways go through the written form, so that a message is checked as
 * strictly as a file; what the message spells differently is changed in wire-json.ts.
 */
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type SandboxPolicy, SandboxPolicySchema } from "../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { Policy } from "./policy.ts";
import { type PolicyResult, readPolicy } from "./read-policy.ts";
import { type Json, treeFromJson } from "./tree.ts";
import { messageJsonToWritten, policyToMessageJson } from "./wire-json.ts";

/** Reads a message. Problems name the fields as the YAML form does. */
export function policyFromMessage(message: SandboxPolicy): PolicyResult {
  const json = toJson(SandboxPolicySchema, message, { useProtoFieldName: true }) as Json;
  return readPolicy(treeFromJson(messageJsonToWritten(json)));
}

/** The message that `policyFromMessage` reads back to an equal policy. */
export function policyToMessage(policy: Policy): SandboxPolicy {
  return fromJson(SandboxPolicySchema, policyToMessageJson(policy) as JsonValue);
}
