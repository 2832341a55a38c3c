/** Events of the sandbox's SSH server. */
import { type SshActivity, sshActivity } from "../../ocsf/classes/ssh-activity.ts";
import type { AuditedSsh } from "./audited.ts";
import { type Moment, occasion } from "./moment.ts";

export function sshEvent(moment: Moment, { activity, what, why, session }: AuditedSsh): SshActivity {
  const message = why === undefined ? what : `${what}: ${why}`;
  const told = {
    message,
    severity: activity === "refuse" ? "medium" : "informational",
    correlation: session.id,
  } as const;
  const { hostname } = moment.reporter.device;
  const refused = why !== undefined && { why };
  return sshActivity(occasion(moment, told), {
    activity,
    user: session.user,
    sessionUid: session.id,
    hostname,
    ...refused,
  });
}
