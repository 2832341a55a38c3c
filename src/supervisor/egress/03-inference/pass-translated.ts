/**
 * A backend's answer → the caller, in the caller's dialect. A stream is translated event by event, as each comes; what is
 * not streamed must be known whole.
 */
import type { Translation, Untranslated } from "../../../inference/translate/translate.ts";
import { UsageFollower } from "../../../inference/usage.ts";
import type { Refusal } from "../connection.ts";
import { wholeOf } from "./answer-body.ts";
import type { Asked } from "./ask-routes.ts";
import type { Caller, HeaderList } from "./caller.ts";
import { maxWholeAnswerBytes } from "./limits.ts";
import { brokenOff, isEventStream, type Passed } from "./pass-answer.ts";
import { headersOfAnother } from "./pass-failure.ts";

export interface PassTranslatedOptions {
  readonly caller: Caller;
  readonly headers: HeaderList;
  readonly now: () => number;
}

export async function passTranslated(
  asked: Asked,
  translation: Translation,
  options: PassTranslatedOptions,
): Promise<Passed> {
  const { answer } = asked;
  const headers = [...headersOfAnother(answer.fields), ...options.headers];
  const whole = { ...options, headers };
  return isEventStream(answer.fields) ? passStream(asked, translation, whole) : passWhole(asked, translation, whole);
}

async function passWhole(
  { answer, route }: Asked,
  translation: Translation,
  { caller, headers, now }: PassTranslatedOptions,
): Promise<Passed> {
  const usage = new UsageFollower("json");
  const body = await wholeOf(answer.body, maxWholeAnswerBytes, route.timeouts.idle);
  if (body === undefined)
    return { served: usage.finish(), bytes: 0, brokenOff: nonsense("an answer that is not whole") };
  usage.push(body);
  const passed = { served: usage.finish(), bytes: body.length, firstAt: now() };
  const translated = translation.answer(body);
  if (typeof translated !== "string") return { ...passed, brokenOff: nonsense(translated.untranslatable) };
  await caller.answer(answer.status, translated, { headers });
  return passed;
}

async function passStream(
  { answer, route, endless }: Asked,
  translation: Translation,
  { caller, headers, now }: PassTranslatedOptions,
): Promise<Passed> {
  endless();
  caller.begin(answer.status, [["Content-Type", "text/event-stream"], ["Cache-Control", "no-cache"], ...headers]);
  const usage = new UsageFollower("event-stream");
  const stream = translation.stream();
  let bytes = 0;
  let firstAt: number | undefined;
  let sense: Refusal | undefined;
  /** Writes events; what can't be said in the caller's dialect ends the stream. */
  const say = (events: string | Untranslated, isLast: boolean): true | Promise<boolean> => {
    if (typeof events !== "string") {
      sense = nonsense(events.untranslatable);
      return Promise.resolve(false);
    }
    if (isLast) caller.joinTurn();
    return caller.piece(Buffer.from(events));
  };
  const end = await answer.body.each(route.timeouts.idle, (piece, isLast) => {
    firstAt ??= now();
    bytes += piece.length;
    usage.push(piece);
    return say(stream.push(piece), isLast);
  });
  if (end.kind === "whole") {
    say(stream.end(), true);
    if (sense === undefined) caller.end();
  }
  const refusal = end.kind === "broken" ? brokenOff(end) : sense;
  return {
    served: usage.finish(),
    bytes,
    ...(refusal && { brokenOff: refusal }),
    ...(firstAt !== undefined && { firstAt }),
  };
}

function nonsense(detail: string): Refusal {
  return { refused: "inference.backend", detail: `the backend's answer can't be passed on: ${detail}` };
}
