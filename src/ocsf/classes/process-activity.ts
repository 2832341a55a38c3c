/** OCSF class 1007, Process Activity: a process that the supervisor was asked for was started, or has ended. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import type { Process } from "../objects/process.ts";
import { type ResultAttributes, resultAttributes } from "../ruling.ts";

const activities = {
  launch: { id: 1, name: "Launch" },
  terminate: { id: 2, name: "Terminate" },
} as const;

const processActivityClass = {
  uid: 1007,
  name: "Process Activity",
  categoryUid: 1,
  categoryName: "System Activity",
} as const;

export interface ProcessActivity extends EventHead<1007>, ResultAttributes {
  /** Who asked for it: the supervisor, on behalf of whoever called the gateway. */
  readonly actor: { readonly app_name: string };
  readonly process: Process;
  readonly exit_code?: number;
  /** Milliseconds. */
  readonly duration?: number;
}

export interface ProcessActivityFacts {
  readonly activity: keyof typeof activities;
  readonly process: Process;
  readonly exitCode?: number;
  /** Name of the signal that ended it, such as `SIGKILL`. */
  readonly signal?: string;
}

export function processActivity(occasion: Occasion, facts: ProcessActivityFacts): ProcessActivity {
  const started = facts.process.created_time;
  return {
    ...eventHead(processActivityClass, activities[facts.activity], occasion),
    ...resultAttributes("success", facts.signal && `ended by ${facts.signal}`),
    actor: { app_name: "openshell-supervisor" },
    process: facts.process,
    ...(facts.exitCode !== undefined && { exit_code: facts.exitCode }),
    ...(facts.activity === "terminate" && started !== undefined && { duration: Math.max(0, occasion.time - started) }),
    ...(facts.signal && { unmapped: { signal: facts.signal } }),
  };
}
