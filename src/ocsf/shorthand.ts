/**
 * An event in one line, for people:
 *
 *     2026-04-01T04:04:32.118Z OCSF NET:OPEN [INFO] ALLOWED /usr/bin/curl(58) -> api.example.com:443 [policy:api engine:policy]
 *
 * Made from the event alone, so that the gateway and the CLI can make the same line from the JSON that they were sent.
 */
import { namedOperations } from "../policy/operations.ts";
import type { RequestFacts } from "../policy/verdict.ts";
import type { ApiActivity, ModelCall } from "./classes/api-activity.ts";
import type { DecisionAttributes } from "./enums/decision.ts";
import { shortSeverity } from "./enums/severity.ts";
import type { Endpoint } from "./objects/endpoint.ts";
import type { OcsfEvent } from "./ocsf-event.ts";
import { printable } from "./printable.ts";
import type { RulingAttributes } from "./ruling.ts";

/** The line with its time in front and the label `OCSF`, as the log file has it, without a line break. */
export function shorthandLine(time: number, message: string): string {
  return `${new Date(time).toISOString()} OCSF ${message}`;
}

/** The line without time and label: what the API carries as a log line's message. */
export function shorthandMessage(event: OcsfEvent): string {
  const severity = `[${shortSeverity(event.severity_id)}]`;
  switch (event.class_uid) {
    case 4001: {
      const what = `${actor(event.actor)} -> ${target(event.dst_endpoint)}`;
      return `NET:${word(event.activity_name)} ${severity} ${decisionWord(event)} ${what} ${brackets(event, "policy")}`;
    }
    case 4002: {
      const what = `${printable(event.http_request.http_method ?? "-")} ${printable(event.http_request.url.url_string)}`;
      const status = event.http_status === undefined ? "" : ` [status:${event.http_status}]`;
      const asked = `${what}${operations(event.unmapped)}`;
      return `HTTP:${word(event.activity_name)} ${severity} ${decisionWord(event)} ${asked} ${brackets(event, "l7")}${status}`;
    }
    case 4003: {
      const answer = event.answers?.map(({ rdata }) => rdata).join(",") ?? event.rcode;
      const what = `${printable(event.query.type)} ${printable(event.query.hostname)} -> ${answer}`;
      return `DNS:QUERY ${severity} ${decisionWord(event)} ${what}${reason(event)}`;
    }
    case 4007: {
      const who = printable(event.actor.user.name);
      return `SSH:${word(event.activity_name)} ${severity} ${decisionWord(event)} ${who} ${printable(event.message)}`;
    }
    case 1001: {
      const count = event.count === undefined ? "" : ` [count:${event.count}]`;
      const what = `${actor(event.actor)} ${printable(event.file.path)} [${printable(event.status_detail ?? "")}]${count}`;
      return `FILE:${word(event.activity_name)} ${severity} ${decisionWord(event)} ${what}`;
    }
    case 1007: {
      const exit = event.exit_code === undefined ? "" : ` [exit:${event.exit_code}]`;
      const detail = event.status_detail ? ` [${printable(event.status_detail)}]` : "";
      return `PROC:${word(event.activity_name)} ${severity} ${actor({ process: event.process })}${exit}${detail}`;
    }
    case 6003: {
      if (event.unmapped === undefined) return gatewayCallMessage(event);
      const who = actor(event.actor.process && { process: event.actor.process });
      const what = `${who} ${printable(event.api.operation)} ${models(event.unmapped)}`;
      const brackets = callBrackets(event, event.unmapped);
      return `API:${word(event.activity_name)} ${severity} ${decisionWord(event)} ${what} ${brackets}`;
    }
    case 6002:
      return `LIFECYCLE:${word(event.activity_name)} ${severity} ${printable(event.message)}`;
    case 5019: {
      const what = event.status_id === 1 ? "LOADED" : "FAILED";
      const revision = `[policy_version:${event.policy.version} policy_hash:${(event.policy.uid ?? "-").slice(0, 16)}]`;
      return `CONFIG:${what} ${severity} ${printable(event.message)} ${revision}`;
    }
    case 2004: {
      const title = printable(event.finding_info.title);
      const who = event.action === undefined ? "" : `DENIED ${actor(event.actor)} `;
      return `FINDING:${word(event.activity_name)} ${severity} "${title}" ${who}${printable(event.message)} [confidence:${event.confidence.toLowerCase()}]`;
    }
    default:
      return event satisfies never;
  }
}

/** What the contents of a request ask for, if anybody looked. */
function operations(unmapped: Pick<RequestFacts, "graphql" | "rpc"> = {}): string {
  const named = namedOperations(unmapped);
  return named === "" ? "" : ` (${printable(named)})`;
}

/** What was asked for, and what served it where that is another. */
function models({ model_asked: asked = "-", model_served: served }: ModelCall): string {
  return printable(served === undefined || served === asked ? asked : `${asked} -> ${served}`);
}

/** Route, tokens in and out, time to the first piece, and why not. */
function callBrackets(event: ApiActivity, call: ModelCall): string {
  const { route, tokens_in: tokensIn, tokens_out: tokensOut, first_byte_ms: firstByteMs } = call;
  const tokens =
    tokensIn === undefined && tokensOut === undefined ? "" : ` tokens:${tokensIn ?? "?"}/${tokensOut ?? "?"}`;
  const first = firstByteMs === undefined ? "" : ` first:${firstByteMs}ms`;
  const status = event.http_response === undefined ? "" : ` [status:${event.http_response.code}]`;
  return `[route:${printable(route ?? "-")}${tokens}${first} total:${event.duration}ms]${status}${reason(event)}`;
}

/** Who called which method about what. The code that the caller got stands first in a failure's reason. */
function gatewayCallMessage(event: ApiActivity): string {
  const severity = `[${shortSeverity(event.severity_id)}]`;
  const about = (event.resources ?? []).map(({ type, namespace, name, uid }) => {
    return `${type} ${printable([namespace, name ?? uid].filter(Boolean).join("/"))}`;
  });
  const what = [printable(event.actor.user?.name ?? "-"), event.api.operation, ...about].join(" ");
  const code = event.api.response === undefined ? "" : ` [${event.api.response.error}]`;
  const why = event.status_detail === undefined ? "" : ` [${printable(event.status_detail)}]`;
  const count = event.count === undefined ? "" : ` [count:${event.count}]`;
  return `API:${word(event.activity_name)} ${severity} ${decisionWord(event)} ${what}${code}${why}${count}`;
}

/** Activity names are captions such as `Open`; the line has them in capitals. */
function word(activity: string): string {
  return activity.toUpperCase();
}

function decisionWord(event: DecisionAttributes): string {
  // What is only observed did pass; the brackets say that it would have been denied.
  return event.action === "Denied" ? "DENIED" : "ALLOWED";
}

function actor(actor: { readonly process: { readonly path: string; readonly pid: number } } | undefined): string {
  return actor ? `${printable(actor.process.path)}(${actor.process.pid})` : "-";
}

function target(endpoint: Endpoint): string {
  const host = endpoint.hostname ?? endpoint.ip ?? "-";
  return `${host.includes(":") ? `[${host}]` : printable(host)}:${endpoint.port}`;
}

/** Rule, the step that ruled, why not, and how often. */
function brackets(event: RulingAttributes & Pick<OcsfEvent, "count">, engine: string): string {
  const audit = event.action === "Observed" ? " [enforcement:audit]" : "";
  const rule = printable(event.firewall_rule?.name ?? "-");
  return `[policy:${rule} engine:${engineOf(event.status_code) ?? engine}]${audit}${reason(event)}`;
}

/** The words for the steps that the published tool's users know; other steps go by their own name. */
const engines: ReadonlyMap<string, string> = new Map([
  ["decide", "policy"],
  ["guard", "ssrf"],
  ["inspect", "l7"],
  ["identify", "identity"],
]);

function engineOf(code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  const step = code.slice(0, code.indexOf("."));
  return engines.get(step) ?? step;
}

function reason(event: RulingAttributes & Pick<OcsfEvent, "count">): string {
  if (event.status_code === undefined) return "";
  const count = event.count === undefined ? "" : ` [count:${event.count}]`;
  return ` [reason:${event.status_code}${event.status_detail ? `: ${printable(event.status_detail)}` : ""}]${count}`;
}
