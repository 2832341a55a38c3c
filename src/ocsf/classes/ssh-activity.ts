/** OCSF class 4007, SSH Activity: a connection to a sandbox's SSH server, and what was opened or refused on it. */
import { type Decision, type DecisionAttributes, decisions } from "../enums/decision.ts";
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import { type ResultAttributes, resultAttributes } from "../ruling.ts";

/** Of the class's activities, those that a server can tell of. */
export type SshActivityName = keyof typeof activities;

const activities = {
  open: { id: 1, name: "Open" },
  close: { id: 2, name: "Close" },
  fail: { id: 4, name: "Fail" },
  refuse: { id: 5, name: "Refuse" },
  listen: { id: 7, name: "Listen" },
} as const;

const decided: Readonly<Record<SshActivityName, Decision>> = {
  open: "allowed",
  close: "allowed",
  fail: "failed",
  refuse: "denied",
  listen: "allowed",
};

const sshActivityClass = {
  uid: 4007,
  name: "SSH Activity",
  categoryUid: 4,
  categoryName: "Network Activity",
} as const;

export interface SshActivity extends EventHead<4007>, ResultAttributes, DecisionAttributes {
  /** The gateway's user, and the session's record there. */
  readonly actor: { readonly user: { readonly name: string }; readonly session: { readonly uid: string } };
  readonly dst_endpoint: { readonly hostname: string };
  readonly protocol_ver: string;
}

export interface SshActivityFacts {
  readonly activity: SshActivityName;
  readonly user: string;
  readonly sessionUid: string;
  /** The sandbox. */
  readonly hostname: string;
  /** Why not, where something was refused or failed. */
  readonly why?: string;
}

export function sshActivity(occasion: Occasion, facts: SshActivityFacts): SshActivity {
  const { activity, user, sessionUid, hostname, why } = facts;
  return {
    ...eventHead(sshActivityClass, activities[activity], occasion),
    ...resultAttributes(why === undefined ? "success" : "failure", why),
    ...decisions[decided[activity]],
    actor: { user: { name: user }, session: { uid: sessionUid } },
    dst_endpoint: { hostname },
    protocol_ver: "2.0",
  };
}
