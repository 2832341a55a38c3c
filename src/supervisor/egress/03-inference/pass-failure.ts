/** What a backend says went wrong → the caller, in the words of the caller's API, whichever API the backend's are. */
import { failureMessage, saysFailure } from "../../../inference/error-body.ts";
import type { Field } from "../../../net/http1-fields.ts";
import { wholeOf } from "./answer-body.ts";
import type { Asked } from "./ask-routes.ts";
import type { Caller, HeaderList } from "./caller.ts";
import { maxWholeAnswerBytes } from "./limits.ts";
import { type Passed, type PassOptions, passedHeaders } from "./pass-answer.ts";

export async function passFailure({ answer, route }: Asked, caller: Caller, options: PassOptions): Promise<Passed> {
  const { status, fields } = answer;
  const headers = [...headersOfAnother(fields), ...options.headers];
  const body = await wholeOf(answer.body, maxWholeAnswerBytes, route.timeouts.idle);
  const firstAt = options.now();
  if (body !== undefined && saysFailure(caller.dialect, body)) {
    await caller.answer(status, body.toString("utf8"), { headers });
  } else {
    const message = failureMessage(body ?? Buffer.alloc(0));
    await caller.fail({ status, code: "backend_error", message }, { headers, close: false });
  }
  return { served: { events: 0 }, bytes: body?.length ?? 0, firstAt };
}

/** The backend's headers for an answer with other contents: what it says of its own bytes is not true of ours. */
export function headersOfAnother(fields: readonly Field[]): HeaderList {
  return passedHeaders(fields).filter(([name]) => !/^content-/i.test(name));
}
