/** Events of class API Activity for what users ask of the gateway. */

import type { Resource } from "../../ocsf/classes/api-activity.ts";
import {
  type ApiActivity,
  type ApiActivityName,
  gatewayCall,
  type NamedEndpoint,
} from "../../ocsf/classes/api-activity.ts";
import type { Reporter } from "../../ocsf/event-head.ts";
import type { Endpoint } from "../../ocsf/objects/endpoint.ts";
import type { Ruling } from "../../ocsf/ruling.ts";
import type { Caller } from "../server/caller.ts";

export interface AuditedCall {
  /** Unique. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly service: string;
  readonly method: string;
  readonly caller: Caller;
  readonly source: Endpoint | NamedEndpoint;
  readonly resources: readonly Resource[];
  /** As gRPC names it, for a call that failed. */
  readonly error?: string;
  /** Why it was refused, in the gateway's own words; of other failures the words may repeat what was sent. */
  readonly refusal?: string;
}

export function callEvent(reporter: Reporter, call: AuditedCall, time: number): ApiActivity {
  const { caller, error, refusal, method } = call;
  const ruling: Ruling =
    refusal === undefined
      ? { decision: error === undefined ? "allowed" : "failed" }
      : { decision: "denied", detail: refusal };
  const severity = refusal !== undefined ? "medium" : error !== undefined ? "low" : "informational";
  const message = `${method} ${refusal !== undefined ? "was refused" : error !== undefined ? "failed" : "was called"}`;
  return gatewayCall(
    { reporter, time, severity, message },
    {
      ...call,
      ruling,
      activity: activityOf(method),
      uid: call.id,
      ...(caller.kind === "user" && {
        user: { name: caller.subject, identityProvider: caller.identityProvider },
      }),
    },
  );
}

/** Equal refusals: somebody tries the same again, from anywhere on the same machine. */
export function callKind({ actor, api, status_detail, resources, src_endpoint }: ApiActivity): string {
  const from = "ip" in src_endpoint ? src_endpoint.ip : "";
  return JSON.stringify([actor, from, api.service.name, api.operation, api.response, status_detail, resources]);
}

/** By the verb that a method's name begins with. */
const activities: readonly (readonly [verb: RegExp, activity: ApiActivityName])[] = [
  [/^(Create|Add|Import|Attach|Expose|Fork|Issue|Submit)/, "create"],
  [/^(Get|List|Watch|Health|Lint|Review)/, "read"],
  [/^(Delete|Remove|Detach|Clear|Revoke|Discard)/, "delete"],
  [/^(Update|Set|Configure|Rotate|Start|Stop|Rollback|Approve|Reject|Edit|Undo|Refresh)/, "update"],
];

function activityOf(method: string): ApiActivityName {
  return activities.find(([verb]) => verb.test(method))?.[1] ?? "other";
}
