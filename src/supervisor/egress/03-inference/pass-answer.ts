/**
 * A backend's answer → the caller, as it comes. Nothing waits for a whole: what has arrived is passed on, and only what
 * the caller takes is read. What the answer says of itself (tokens, model) is picked up in passing.
 */
import type { Served } from "../../../inference/usage.ts";
import { bedrockUsage, UsageFollower } from "../../../inference/usage.ts";
import { type Field, fieldValue } from "../../../net/http1-fields.ts";
import type { Refusal } from "../connection.ts";
import type { Asked } from "./ask-routes.ts";
import type { Caller, HeaderList } from "./caller.ts";
import { isAwsEventStream } from "./unwrap-bedrock.ts";

/** What has been passed on, whole or not. */
export interface Passed {
  readonly served: Served;
  readonly bytes: number;
  /** Why the rest is missing, where the backend is to blame. */
  readonly brokenOff?: Refusal;
  /** When the first piece came; milliseconds since the epoch. */
  readonly firstAt?: number;
}

export interface PassOptions {
  /** Ours, behind the backend's. */
  readonly headers: HeaderList;
  readonly now: () => number;
}

/** Headers of backends that mean something to callers. Others are about the operator's account, or set cookies. */
const passedHeader =
  /^(?:content-type|content-encoding|cache-control|retry-after(?:-ms)?|x-should-retry|(?:x-)?request-id|openai-(?:processing-ms|version|model)|(?:x|anthropic)-ratelimit-[\w-]+|x-amzn-(?:requestid|bedrock-[\w-]+|errortype)|x-reasoning-included)$/;

/** Passes an answer on, headers and all, to its end. */
export async function passAnswer(
  { answer, route, endless }: Asked,
  caller: Caller,
  options: PassOptions,
): Promise<Passed> {
  const { body, fields, status } = answer;
  const kind = contentsOf(fields);
  if (kind !== "json") endless();
  caller.begin(status, [...passedHeaders(fields), ...options.headers]);
  const usage = new UsageFollower(
    kind,
    bedrockUsage((lower) => fieldValue(fields, lower)),
  );
  let bytes = 0;
  let firstAt: number | undefined;
  const end = await body.each(route.timeouts.idle, (piece, isLast) => {
    firstAt ??= options.now();
    bytes += piece.length;
    if (isLast) caller.joinTurn();
    const written = caller.piece(piece);
    usage.push(piece);
    return written;
  });
  if (end.kind === "whole") caller.end();
  return {
    served: usage.finish(),
    bytes,
    ...(end.kind === "broken" && { brokenOff: brokenOff(end) }),
    ...(firstAt !== undefined && { firstAt }),
  };
}

function contentsOf(fields: readonly Field[]): "event-stream" | "aws-event-stream" | "json" {
  if (isEventStream(fields)) return "event-stream";
  return isAwsEventStream(fields) ? "aws-event-stream" : "json";
}

export function isEventStream(fields: readonly Field[]): boolean {
  return /^text\/event-stream\b/i.test(fieldValue(fields, "content-type") ?? "");
}

export function passedHeaders(fields: readonly Field[]): HeaderList {
  return fields.filter(({ lower }) => passedHeader.test(lower)).map(({ name, value }) => [name, value] as const);
}

export function brokenOff({ detail, timedOut }: { readonly detail: string; readonly timedOut: boolean }): Refusal {
  return { refused: timedOut ? "inference.backend_timeout" : "inference.backend", detail };
}
