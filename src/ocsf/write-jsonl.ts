/**
 * Events as JSON lines: one object a line, UTF-8, no line break inside (JSON escapes them). A line is written when its
 * event happens, but for its end, where the log puts the number that it gives the event.
 */

import { PREVIOUS_HASH } from "./chain.ts";
import type { Metadata } from "./objects/metadata.ts";
import type { OcsfEvent } from "./ocsf-event.ts";
import { shorthandMessage } from "./shorthand.ts";

/** An event ready to go on record. */
export interface WrittenEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly severityId: number;
  /** The line for people, without time and label. */
  readonly shorthand: string;
  /** The event's JSON up to the end of its metadata, which stands last. */
  readonly json: string;
}

export function writeEvent(event: OcsfEvent): WrittenEvent {
  const { metadata, ...attributes } = event;
  return {
    time: event.time,
    severityId: event.severity_id,
    shorthand: shorthandMessage(event),
    json: `${writeAttributes(attributes)},${writeMetadata(metadata)}`,
  };
}

/** What the log gives an event. */
export interface LogPlace {
  readonly sequence: number;
  readonly uid: string;
  /** Of the line before it in the log; absent for the first one. */
  readonly previousHash: string | undefined;
}

/** The event's line without the line break at its end. */
export function writeJsonl({ json }: WrittenEvent, { sequence, uid, previousHash }: LogPlace): string {
  const tags = previousHash === undefined ? "" : `,"tags":[{"name":"${PREVIOUS_HASH}","value":"${previousHash}"}]`;
  return `${json},"sequence":${sequence},"uid":${JSON.stringify(uid)}${tags}}}`;
}

/** An object's JSON without the brace at its end; it has attributes. */
export function writeAttributes(attributes: object): string {
  return escapeControls(JSON.stringify(attributes)).slice(0, -1);
}

/** The attribute `metadata`, open at its end. */
export function writeMetadata(metadata: Metadata): string {
  return `"metadata":${writeAttributes(metadata)}`;
}

/**
 * What JSON may leave as it is, and a terminal may obey: DEL, the C1 controls (U+009B begins an escape sequence), line
 * separators, and characters that turn the direction of text. An agent chooses the names of its programs.
 */
const bareControls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function escapeControls(json: string): string {
  return json.replace(bareControls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
