/** The audit log as the lines that the gateway keeps: the one-line form for people, the event itself beside it. */
import type { SandboxLogLineJson } from "../gen/openshell/v1/watch_pb.ts";
import { shortSeverity } from "../ocsf/enums/severity.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import type { LogRecord } from "./audit/read-after.ts";
import type { LogSource } from "./log-shipper.ts";

/** Lines of `log`, for the gateway's log shipping. */
export function logSource(log: AuditLog, sandboxId: string): LogSource {
  return {
    readAfter: async (sequence, limit) => {
      const records = await log.readAfter(sequence, limit);
      return records.map((record) => toLine(record, sandboxId));
    },
    subscribe: (listener) => log.subscribe(() => listener()),
  };
}

function toLine({ sequence, time, severityId, shorthand, line }: LogRecord, sandboxId: string): SandboxLogLineJson {
  return {
    sandboxId,
    sequence: String(sequence),
    timestampMs: String(time),
    // The severity, and not `OCSF` for all: the gateway filters by it. What kind of line it is, the target says.
    level: shortSeverity(severityId),
    target: "ocsf",
    source: "sandbox",
    message: shorthand,
    fields: { ocsf: line },
  };
}
