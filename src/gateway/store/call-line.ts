/** The line of a gateway's own log that tells of a call, whatever the log is kept in. */
import { create } from "@bufbuild/protobuf";
import { type SandboxLogLine, SandboxLogLineSchema } from "../../gen/openshell/v1/watch_pb.ts";
import { lineHash } from "../../ocsf/chain.ts";
import { shortSeverity } from "../../ocsf/enums/severity.ts";
import { writeJsonl } from "../../ocsf/write-jsonl.ts";
import type { NewCall } from "./call-log.ts";

/** @param before the line in front of it; absent for the first one */
export function callLine({ sandboxId, event }: NewCall, uid: string, before?: SandboxLogLine): SandboxLogLine {
  const sequence = (before?.sequence ?? 0n) + 1n;
  const previousHash = before && lineHash(before.fields["ocsf"] ?? "");
  return create(SandboxLogLineSchema, {
    sandboxId,
    sequence,
    timestampMs: BigInt(event.time),
    level: shortSeverity(event.severityId),
    target: "ocsf",
    source: "gateway",
    message: event.shorthand,
    fields: { ocsf: writeJsonl(event, { sequence: Number(sequence), uid: `${uid}-${sequence}`, previousHash }) },
  });
}
