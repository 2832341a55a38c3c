/** Events as JSON lines: one object a line, UTF-8, no line break inside (JSON escapes them). */
import type { OcsfEvent } from "./ocsf-event.ts";

/** The event's line without the line break at its end. */
export function writeJsonl(event: OcsfEvent): string {
  return JSON.stringify(event);
}
