import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";

/** The audit event that a line of a sandbox's log shows, or undefined where it shows none. */
export function eventOfLine({ fields }: SandboxLogLine): OcsfEvent | undefined {
  try {
    // Written by a supervisor of ours, which is trusted with its own sandbox's log.
    return JSON.parse(fields["ocsf"] ?? "") as OcsfEvent;
  } catch {
    return undefined;
  }
}
