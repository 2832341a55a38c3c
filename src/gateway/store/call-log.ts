/**
 * What users asked of the gateway: a log of its own, chained like that of a sandbox, which outlives the sandboxes that it
 * tells of. Read together with theirs (LogStore).
 */
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";
import type { WrittenEvent } from "../../ocsf/write-jsonl.ts";
import type { LogRetention, Outgoing } from "./store.ts";

export interface NewCall {
  /** The sandbox that it was about; empty for none. */
  readonly sandboxId: string;
  readonly event: WrittenEvent;
}

export interface CallLog {
  /** Unique among gateways: stands in each event's uid, before its sequence number. The same for the log's life. */
  id(): Promise<string>;
  /** Adds an event, and gives it the next number. What `outgoing` makes of it is put into the outbox with it. */
  append(call: NewCall, outgoing?: Outgoing): Promise<SandboxLogLine>;
  /** Drops what is more than is to be kept, the oldest first. */
  trim(retention: LogRetention): Promise<void>;
}
