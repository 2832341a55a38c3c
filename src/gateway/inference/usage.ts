/** What sandboxes use of models, summed from the audit events of their calls. */
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { ApiActivity, ModelCall } from "../../ocsf/classes/api-activity.ts";
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
    if (event?.class_uid !== 6003 || event.unmapped === undefined) return [];
    return isCountable(event, event.unmapped) ? [usageOf(event, event.unmapped, caller)] : [];
  });
}

/** Lists of models cost nothing, and a call that goes on is told of again. */
function isCountable({ activity_id: activity }: ApiActivity, call: ModelCall): boolean {
  return activity === 1 && call.in_progress === undefined;
}

function usageOf(
  { http_response: response, time, status_id: status }: ApiActivity,
  call: ModelCall,
  { workspace, name }: CallingSandbox,
): CallUsage {
  return {
    workspace,
    sandboxName: name,
    route: call.route ?? "",
    provider: call.provider ?? "",
    model: call.model_served ?? call.model_asked ?? "",
    atMs: time,
    isFailure: status === 2 || (response?.code ?? 0) >= 400,
    inputTokens: call.tokens_in ?? 0,
    outputTokens: call.tokens_out ?? 0,
  };
}
