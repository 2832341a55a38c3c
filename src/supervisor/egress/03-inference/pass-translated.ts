/**
 * A backend's answer → the caller, in the caller's dialect. A stream is translated event by event, as each comes; what is
 * not streamed must be known whole.
 */
import type { Translation } from "../../../inference/translate/translate.ts";
import { UsageFollower } from "../../../inference/usage.ts";
import type { Refusal } from "../connection.ts";
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
  const body = await answer.body.whole(maxWholeAnswerBytes, route.timeouts.idle);
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
  const passed = (refusal?: Refusal): Passed => {
    if (refusal) answer.body.discard();
    return {
      served: usage.finish(),
      bytes,
      ...(refusal && { brokenOff: refusal }),
      ...(firstAt !== undefined && { firstAt }),
    };
  };
  for (;;) {
    const next = await answer.body.next(route.timeouts.idle);
    if (next.kind === "broken") return passed(brokenOff(next));
    if (next.kind === "piece") {
      firstAt ??= now();
      bytes += next.bytes.length;
      usage.push(next.bytes);
    }
    const events = next.kind === "end" ? stream.end() : stream.push(next.bytes);
    if (typeof events !== "string") return passed(nonsense(events.untranslatable));
    if (next.kind === "end" || next.isLast) caller.joinTurn();
    const written = caller.piece(Buffer.from(events));
    if (next.kind === "end") {
      caller.end();
      return passed();
    }
    if (written !== true && !(await written)) {
      answer.body.discard();
      return passed();
    }
  }
}

function nonsense(detail: string): Refusal {
  return { refused: "inference.backend", detail: `the backend's answer can't be passed on: ${detail}` };
}
