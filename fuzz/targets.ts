/** All targets. */
import type { FuzzTarget } from "./target.ts";
import { graphql, json } from "./targets/content.ts";
import { host } from "./targets/host.ts";
import { http2 } from "./targets/http2.ts";
import { clientHello, dnsQuery } from "./targets/messages.ts";
import { path } from "./targets/path.ts";
import { policy } from "./targets/policy.ts";
import { request } from "./targets/request.ts";
import { websocket } from "./targets/websocket.ts";

export const targets: readonly FuzzTarget[] = [
  path,
  host,
  request,
  policy,
  clientHello,
  dnsQuery,
  json,
  graphql,
  http2,
  websocket,
];
