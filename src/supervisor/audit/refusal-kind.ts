/** Which refusals are equal: those of which each says what the one before it said, but for what is new with each try. */
import type { DnsActivity } from "../../ocsf/classes/dns-activity.ts";
import type { FileActivity } from "../../ocsf/classes/file-activity.ts";
import type { HttpActivity } from "../../ocsf/classes/http-activity.ts";
import type { NetworkActivity } from "../../ocsf/classes/network-activity.ts";

export type RefusedActivity = NetworkActivity | HttpActivity | DnsActivity | FileActivity;

/** Who was refused what, and why: all that rules are made of, and no process id, port or id of a connection. */
export function refusalKind(event: RefusedActivity): string {
  const { class_uid, activity_id, disposition_id, status_code, status_detail, firewall_rule, policy } = event;
  const ruling = [disposition_id, status_code, status_detail, firewall_rule?.name, policy?.version];
  return JSON.stringify([class_uid, activity_id, ...ruling, ...asked(event)]);
}

function asked(event: RefusedActivity): unknown[] {
  switch (event.class_uid) {
    case 1001:
      // By folder: what writes one file that it may not write, as Python its caches, goes on with the next.
      return [event.file.path.slice(0, event.file.path.lastIndexOf("/")), ...programs(event)];
    case 4001:
      return [event.dst_endpoint, ...programs(event)];
    case 4002:
      return [event.dst_endpoint, event.http_request.http_method, event.http_request.url, ...programs(event)];
    case 4003:
      return [event.query, event.rcode];
    default:
      return event satisfies never;
  }
}

function programs({ actor, unmapped = {} }: NetworkActivity | HttpActivity | FileActivity): unknown[] {
  const { other_holders: holders = [], script, graphql, rpc, sni } = unmapped;
  const others = (holders as readonly { readonly path: string; readonly sha256?: string }[]).map(({ path, sha256 }) => [
    path,
    sha256,
  ]);
  return [actor?.process.file, actor?.process.ancestry?.map(({ path }) => path), others, script, graphql, rpc, sni];
}
