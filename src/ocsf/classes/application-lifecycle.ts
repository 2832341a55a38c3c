/** OCSF class 6002, Application Lifecycle: the supervisor itself was started or stopped. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import { type ResultAttributes, resultAttributes } from "../ruling.ts";

const activities = {
  start: { id: 3, name: "Start" },
  stop: { id: 4, name: "Stop" },
} as const;

const applicationLifecycleClass = {
  uid: 6002,
  name: "Application Lifecycle",
  categoryUid: 6,
  categoryName: "Application Activity",
} as const;

export interface ApplicationLifecycle extends EventHead<6002>, ResultAttributes {
  readonly app: { readonly name: string; readonly vendor_name: string; readonly version: string };
}

/** The occasion's message says more than the activity: what was started, or why it stops. */
export function applicationLifecycle(occasion: Occasion, activity: keyof typeof activities): ApplicationLifecycle {
  return {
    ...eventHead(applicationLifecycleClass, activities[activity], occasion),
    ...resultAttributes("success"),
    app: { name: "OpenShell Sandbox Supervisor", vendor_name: "OpenShell", version: occasion.reporter.productVersion },
  };
}
