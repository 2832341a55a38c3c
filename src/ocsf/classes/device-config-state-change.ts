/** OCSF class 5019, Device Config State Change: a policy revision came into force, or was turned down. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import { type PolicyObject, policyObject } from "../objects/rule.ts";
import { type ResultAttributes, resultAttributes } from "../ruling.ts";

const deviceConfigStateChangeClass = {
  uid: 5019,
  name: "Device Config State Change",
  categoryUid: 5,
  categoryName: "Discovery",
} as const;

/** The device tells of its own state; the other activity, Collect, is for a report that was asked for. */
const logActivity = { id: 1, name: "Log" } as const;

export interface DeviceConfigStateChange extends EventHead<5019>, ResultAttributes {
  readonly policy: PolicyObject;
  /** 2 is Enabled: a policy is in force even when a new one is turned down. */
  readonly state_id: number;
  readonly state: string;
}

export interface ConfigStateFacts {
  readonly version: number;
  /** SHA-256 of the policy's canonical form, hex. */
  readonly hash: string;
  /** Why it was turned down; absent when it is in force. */
  readonly error?: string;
}

export function deviceConfigStateChange(occasion: Occasion, facts: ConfigStateFacts): DeviceConfigStateChange {
  return {
    ...eventHead(deviceConfigStateChangeClass, logActivity, occasion),
    ...resultAttributes(facts.error === undefined ? "success" : "failure", facts.error),
    policy: policyObject(facts.version, facts.hash, facts.error === undefined),
    state_id: 2,
    state: "Enabled",
  };
}
