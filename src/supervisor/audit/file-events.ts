/** Events of class File System Activity: a change of a file that the kernel refuses. */
import { type FileActivity, fileActivity } from "../../ocsf/classes/file-activity.ts";
import type { RefusedFileChange } from "./audited.ts";
import { holderProcess } from "./connection-facts.ts";
import { type Moment, occasion } from "./moment.ts";

/** Characters of a path that are logged. */
const shownPath = 1024;

export function fileRefusedEvent(moment: Moment, { path, change, call, program }: RefusedFileChange): FileActivity {
  const shown = path.slice(0, shownPath);
  const detail = `${call}: outside of what the policy lets the sandbox write`;
  return fileActivity(occasion(moment, { message: `${change} of ${shown} was refused`, severity: "low" }), {
    ruling: { decision: "denied", detail },
    activity: change,
    process: holderProcess(program),
    path: shown,
  });
}
