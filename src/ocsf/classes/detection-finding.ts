/** OCSF class 2004, Detection Finding: something that someone should look at, beyond one refused connection. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";

const detectionFindingClass = {
  uid: 2004,
  name: "Detection Finding",
  categoryUid: 2,
  categoryName: "Findings",
} as const;

const createActivity = { id: 1, name: "Create" } as const;

export interface DetectionFinding extends EventHead<2004> {
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
}

export interface DetectionFindingFacts {
  /** Unique among all findings. */
  readonly uid: string;
  /** Stable word for the kind of finding, such as `landlock_missing`. */
  readonly kind: string;
  readonly title: string;
  readonly remedy?: string;
}

/** The occasion's message describes the finding. */
export function detectionFinding(occasion: Occasion, facts: DetectionFindingFacts): DetectionFinding {
  return {
    ...eventHead(detectionFindingClass, createActivity, occasion),
    finding_info: {
      uid: facts.uid,
      title: facts.title,
      desc: occasion.message,
      types: [facts.kind],
      created_time: occasion.time,
    },
    status_id: 1,
    status: "New",
    confidence_id: 3,
    confidence: "High",
    is_alert: occasion.severity === "high" || occasion.severity === "critical",
    ...(facts.remedy && { remediation: { desc: facts.remedy } }),
  };
}
