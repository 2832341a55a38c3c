/**
 * Sends a change of policy and tells when it is in force.
 */

import { setTimeout as delay } from "node:timers/promises";
import type { PolicyStatusJson, UpdateConfigRequestJson } from "../../gen/openshell/v1/policy_pb.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Gateway } from "./gateway.ts";
import { getSandboxPolicyStatus, updateConfig } from "./methods.ts";

/** The gateway pushes at once; this is for a sandbox whose supervisor is just away. */
const LOOK_AGAIN_MS = 100;

export interface AppliedPolicy {
  readonly version: number;
  readonly hash: string;
  /** `loaded`: in force; `pending`: accepted, the sandbox has not answered yet. */
  readonly status: "loaded" | "pending";
  /** It was the policy already: there is no new revision. */
  readonly unchanged: boolean;
}

/** The line that tells people what became of their change. */
export function appliedText(name: string, { version, status, unchanged }: AppliedPolicy): string {
  if (unchanged) return `${name}: unchanged, policy revision ${version} says the same\n`;
  return `${name}: policy revision ${version} ${status === "loaded" ? "is in force" : "is accepted"}\n`;
}

/**
 * @param waitMs how long to wait for the sandbox to load it; 0: as long as the gateway's answer takes.
 * Throws CommandFailure when the sandbox could not load it, or not in time.
 */
export async function applyPolicy(
  request: UpdateConfigRequestJson & { readonly name: string },
  gateway: Gateway,
  { context, waitMs }: { context: CommandContext; waitMs: number },
): Promise<AppliedPolicy> {
  const { workspace } = context.globals;
  const answer = await gateway.channel.unary(updateConfig, { ...request, workspace });
  const { version = 0, policyHash: hash = "", warnings = [], unchanged = false } = answer;
  for (const warning of warnings) context.note(`warning: ${warning}`);
  const deadline = performance.now() + waitMs;
  let { policyStatus: status, loadError = "" } = answer;
  while (status !== "POLICY_STATUS_LOADED") {
    if (status === "POLICY_STATUS_FAILED") throw notLoaded(request.name, version, loadError);
    if (status === "POLICY_STATUS_SUPERSEDED") break;
    if (waitMs === 0) return { version, hash, status: "pending", unchanged };
    if (performance.now() >= deadline) throw notInTime(request.name, version);
    await delay(LOOK_AGAIN_MS);
    ({ status, loadError } = await statusOf({ name: request.name, version, workspace }, gateway));
  }
  return { version, hash, status: "loaded", unchanged };
}

async function statusOf(
  revision: { name: string; version: number; workspace: string },
  gateway: Gateway,
): Promise<{ status: PolicyStatusJson; loadError: string }> {
  const { revision: found } = await gateway.channel.unary(getSandboxPolicyStatus, revision);
  return { status: found?.status ?? "POLICY_STATUS_PENDING", loadError: found?.loadError ?? "" };
}

function notLoaded(name: string, version: number, loadError: string): CommandFailure {
  return new CommandFailure(`sandbox ${name} refused revision ${version}: ${loadError}`, {
    code: "failed_precondition",
    hint: "the revision before it stays in force",
  });
}

function notInTime(name: string, version: number): CommandFailure {
  return new CommandFailure(`sandbox ${name} has not loaded revision ${version} in time`, {
    code: "deadline_exceeded",
    hint: `it is accepted and will be loaded when the sandbox is back; see \`openshell policy list ${name}\``,
  });
}
