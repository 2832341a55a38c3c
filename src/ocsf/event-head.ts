/**
 * What all events have in common. Names are those of OCSF (https://schema.ocsf.io/1.7.0), since the values are written
 * out as they are.
 */
import { type Severity, severities } from "./enums/severity.ts";
import type { Device } from "./objects/device.ts";
import { type Metadata, metadata } from "./objects/metadata.ts";

/** Who reports: the same in every event of a sandbox. */
export interface Reporter {
  readonly productVersion: string;
  readonly device: Device;
}

/** When and how something happened, whatever it was. */
export interface Occasion {
  readonly reporter: Reporter;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly severity: Severity;
  /** One sentence for people, without secrets. */
  readonly message: string;
  /** Connection or process that several events tell of. */
  readonly correlation?: string;
}

/** The attributes that every class begins with. */
export interface EventHead<Uid extends number> {
  readonly class_uid: Uid;
  readonly class_name: string;
  readonly category_uid: number;
  readonly category_name: string;
  readonly activity_id: number;
  readonly activity_name: string;
  readonly type_uid: number;
  readonly type_name: string;
  readonly time: number;
  readonly severity_id: number;
  readonly severity: string;
  readonly message: string;
  readonly metadata: Metadata;
  readonly device: Device;
  /** Of equal events that this one tells of, the first at `start_time`, the last at `end_time`; absent for one. */
  readonly count?: number;
  readonly start_time?: number;
  readonly end_time?: number;
  /** Milliseconds. */
  readonly duration?: number;
  /** What OCSF has no attribute for. */
  readonly unmapped?: Readonly<Record<string, unknown>>;
}

/** A class as the schema lists it. */
export interface ClassName<Uid extends number> {
  readonly uid: Uid;
  readonly name: string;
  readonly categoryUid: number;
  readonly categoryName: string;
}

/** An activity of a class; ids are per class. */
export interface Activity {
  readonly id: number;
  readonly name: string;
}

/** Profiles of all our events: `host` brings actor and device, `security_control` the decision. */
const profiles = ["host", "security_control"];

export function eventHead<Uid extends number>(
  kind: ClassName<Uid>,
  activity: Activity,
  occasion: Occasion,
): EventHead<Uid> {
  const severity = severities[occasion.severity];
  return {
    class_uid: kind.uid,
    class_name: kind.name,
    category_uid: kind.categoryUid,
    category_name: kind.categoryName,
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: kind.uid * 100 + activity.id,
    type_name: `${kind.name}: ${activity.name}`,
    time: occasion.time,
    severity_id: severity.id,
    severity: severity.caption,
    message: occasion.message,
    metadata: metadata(occasion.reporter.productVersion, profiles, occasion.correlation),
    device: occasion.reporter.device,
  };
}
