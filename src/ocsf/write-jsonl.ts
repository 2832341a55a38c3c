/** Events as JSON lines: one object a line, UTF-8, no line break inside (JSON escapes them). */
import type { OcsfEvent } from "./ocsf-event.ts";

/**
 * What JSON may leave as it is, and a terminal may obey: DEL, the C1 controls (U+009B begins an escape sequence), line
 * separators, and characters that turn the direction of text. An agent chooses the names of its programs.
 */
const bareControls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The event's line without the line break at its end. */
export function writeJsonl(event: OcsfEvent): string {
  return JSON.stringify(event).replace(
    bareControls,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
