/** OCSF class 2004, Detection Finding: something that someone should look at, beyond one refused connection. */
import { type DecisionAttributes, decisions } from "../enums/decision.ts";
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import type { Process } from "../objects/process.ts";

const detectionFindingClass = {
  uid: 2004,
  name: "Detection Finding",
  categoryUid: 2,
  categoryName: "Findings",
} as const;

const activities = {
  create: { id: 1, name: "Create" },
  update: { id: 2, name: "Update" },
} as const;

export interface DetectionFinding extends EventHead<2004>, Partial<DecisionAttributes> {
  readonly finding_info: {
    readonly uid: string;
    readonly title: string;
    readonly desc: string;
    readonly types: readonly string[];
    readonly created_time: number;
  };
  /** 1 is New. Findings have a life of their own, so their status is not success or failure. */
  readonly status_id: number;
  readonly status: string;
  /** 3 is High: we report what we have seen, not what we guess. */
  readonly confidence_id: number;
  readonly confidence: string;
  readonly is_alert: boolean;
  readonly remediation?: { readonly desc: string };
  /** What follows is there if something was tried, and refused. */
  readonly actor?: { readonly process: Process };
  readonly evidences?: readonly {
    readonly api: { readonly operation: string; readonly response: { readonly error: string } };
  }[];
  readonly count?: number;
  readonly start_time?: number;
  readonly end_time?: number;
}

export interface DetectionFindingFacts {
  /** Unique among all findings. */
  readonly uid: string;
  /** Stable word for the kind of finding, such as `landlock_missing`. */
  readonly kind: string;
  readonly title: string;
  readonly remedy?: string;
  readonly attempt?: Attempt;
}

/** Something that was tried and refused. The finding is created by the first attempt, and updated by later ones. */
export interface Attempt {
  /** A system call. */
  readonly operation: string;
  /** Name of the error that it was answered with. */
  readonly error: string;
  readonly count: number;
  /** Milliseconds since the epoch, of the first. */
  readonly since: number;
  readonly process?: Process;
}

/** The occasion's message describes the finding. */
export function detectionFinding(occasion: Occasion, facts: DetectionFindingFacts): DetectionFinding {
  const { attempt } = facts;
  const isUpdate = attempt !== undefined && attempt.count > 1;
  return {
    ...eventHead(detectionFindingClass, isUpdate ? activities.update : activities.create, occasion),
    finding_info: {
      uid: facts.uid,
      title: facts.title,
      desc: occasion.message,
      types: [facts.kind],
      created_time: attempt?.since ?? occasion.time,
    },
    status_id: 1,
    status: "New",
    confidence_id: 3,
    confidence: "High",
    is_alert: occasion.severity === "high" || occasion.severity === "critical",
    ...(facts.remedy && { remediation: { desc: facts.remedy } }),
    ...(attempt && attemptAttributes(attempt, occasion.time)),
  };
}

function attemptAttributes({ operation, error, count, since, process }: Attempt, time: number) {
  return {
    ...decisions.denied,
    ...(process && { actor: { process } }),
    evidences: [{ api: { operation, response: { error } } }],
    count,
    start_time: since,
    end_time: time,
  };
}
