/** When something happened and who says so; the event's maker adds how severe it is, and in words what it was. */
import type { Severity } from "../../ocsf/enums/severity.ts";
import type { Occasion, Reporter } from "../../ocsf/event-head.ts";
import type { Ruling } from "../../ocsf/ruling.ts";
import { type ReasonCode, reasonEntry } from "../../policy/reason-codes.ts";
import type { Refusal } from "../egress/connection.ts";

export interface Moment {
  readonly reporter: Reporter;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** What an occasion says beyond its moment. */
export interface Told {
  /** Default: informational. */
  readonly severity?: Severity;
  readonly message: string;
  /** The connection or process that several events tell of. */
  readonly correlation?: string;
}

export function occasion(moment: Moment, told: Told): Occasion {
  return { ...moment, severity: told.severity ?? "informational", ...told };
}

/** Characters of a refusal's sentence that are logged: it may repeat a request's path, which the event has anyway. */
const shownDetail = 1024;

/** A refusal's words and severity, from the one table. */
export function refusedOccasion(moment: Moment, refusal: Refusal, correlation?: string): Occasion {
  const { severity } = reasonEntry(refusal.refused);
  return occasion(moment, { severity, message: detailOf(refusal), ...(correlation !== undefined && { correlation }) });
}

/** A refusal as a ruling. `revision` is that of the policy in force, where it is known. */
export function refusedRuling(refusal: Refusal, revision?: number): Ruling {
  return {
    decision: isFailure(refusal.refused) ? "failed" : "denied",
    reason: refusal.refused,
    detail: detailOf(refusal),
    ...(refusal.rule !== undefined && { rule: refusal.rule }),
    ...(revision !== undefined && { revision }),
  };
}

function detailOf({ refused, detail }: Refusal): string {
  return detail.slice(0, shownDetail) || reasonEntry(refused).sentence;
}

/** What was allowed and then could not be done is no denial: counting those as blocked would hide the real ones. */
function isFailure(code: ReasonCode): boolean {
  return code.startsWith("forward.") || code === "guard.unresolved" || code.startsWith("inference.backend");
}
