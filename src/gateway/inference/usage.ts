/** What sandboxes use of models, summed from the audit events of their calls. */
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { ApiActivity } from "../../ocsf/classes/api-activity.ts";
import { eventOfLine } from "../sandboxes/event-of-line.ts";
import type { CallUsage } from "../store/usage-store.ts";

/** The word in front of an API Activity's line; only such lines are parsed. */
const API_LINE = /\bAPI:/;

export interface CallingSandbox {
  readonly workspace: string;
  readonly name: string;
}

/** What the calls among these lines come to. */
export function callsIn(lines: readonly SandboxLogLine[], caller: CallingSandbox): CallUsage[] {
  return lines.flatMap((line) => {
    const event = API_LINE.test(line.message) ? eventOfLine(line) : undefined;
    return event?.class_uid === 6003 && isCountable(event) ? [usageOf(event, caller)] : [];
  });
}

/** Lists of models cost nothing, and a call that goes on is told of again. */
function isCountable({ activity_id: activity, unmapped }: ApiActivity): boolean {
  return activity === 1 && unmapped.in_progress === undefined;
}

function usageOf(
  { unmapped, http_response: response, time, status_id: status }: ApiActivity,
  { workspace, name }: CallingSandbox,
): CallUsage {
  return {
    workspace,
    sandboxName: name,
    route: unmapped.route ?? "",
    provider: unmapped.provider ?? "",
    model: unmapped.model_served ?? unmapped.model_asked ?? "",
    atMs: time,
    isFailure: status === 2 || (response?.code ?? 0) >= 400,
    inputTokens: unmapped.tokens_in ?? 0,
    outputTokens: unmapped.tokens_out ?? 0,
  };
}
