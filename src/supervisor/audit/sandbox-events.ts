/** Events about the sandbox itself: its processes, its policy, and what someone should look at. */
import { randomUUID } from "node:crypto";
import { type DetectionFinding, detectionFinding } from "../../ocsf/classes/detection-finding.ts";
import {
  type DeviceConfigStateChange,
  deviceConfigStateChange,
} from "../../ocsf/classes/device-config-state-change.ts";
import { type ProcessActivity, processActivity } from "../../ocsf/classes/process-activity.ts";
import { process } from "../../ocsf/objects/process.ts";
import { redactCommandLine } from "../../secrets/redact.ts";
import type { AuditedProcess, ConfigChange, Finding, ProcessEnd } from "./audited.ts";
import { type Moment, occasion } from "./moment.ts";

/** A process that was started, or, with its end, one that has ended. */
export function processEvent(moment: Moment, started: AuditedProcess, end?: ProcessEnd): ProcessActivity {
  const { pid, path, commandLine, startedAt } = started;
  const message = `${path} ${end ? "ended" : "started"}`;
  return processActivity(occasion(moment, { message }), {
    activity: end ? "terminate" : "launch",
    process: process({ pid, path, startedAt, commandLine: redactCommandLine(commandLine) }),
    ...(end?.exitCode !== undefined && { exitCode: end.exitCode }),
    ...(end?.signal !== undefined && { signal: end.signal }),
  });
}

export function configEvent(moment: Moment, change: ConfigChange): DeviceConfigStateChange {
  const { error } = change;
  const message = error === undefined ? "policy loaded" : `policy turned down: ${error}`;
  // A revision that does not load leaves the one before in force: worth a look, but nothing is open that was not.
  return deviceConfigStateChange(
    occasion(moment, { message, severity: error === undefined ? "informational" : "medium" }),
    change,
  );
}

export function findingEvent(moment: Moment, finding: Finding): DetectionFinding {
  const { kind, title, description, severity, remedy } = finding;
  return detectionFinding(occasion(moment, { message: description, severity }), {
    uid: randomUUID(),
    kind,
    title,
    ...(remedy !== undefined && { remedy }),
  });
}
