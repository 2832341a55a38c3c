/** The union of all classes that we write, for what handles events of any kind. */
import type { ApiActivity } from "./classes/api-activity.ts";
import type { ApplicationLifecycle } from "./classes/application-lifecycle.ts";
import type { DetectionFinding } from "./classes/detection-finding.ts";
import type { DeviceConfigStateChange } from "./classes/device-config-state-change.ts";
import type { DnsActivity } from "./classes/dns-activity.ts";
import type { FileActivity } from "./classes/file-activity.ts";
import type { HttpActivity } from "./classes/http-activity.ts";
import type { NetworkActivity } from "./classes/network-activity.ts";
import type { ProcessActivity } from "./classes/process-activity.ts";
import type { SshActivity } from "./classes/ssh-activity.ts";

/** Any event that we write; `class_uid` tells which. */
export type OcsfEvent =
  | NetworkActivity
  | HttpActivity
  | ApiActivity
  | DnsActivity
  | SshActivity
  | FileActivity
  | ProcessActivity
  | ApplicationLifecycle
  | DeviceConfigStateChange
  | DetectionFinding;
