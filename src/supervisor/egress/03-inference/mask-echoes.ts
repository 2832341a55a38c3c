/**
 * A backend that repeats the key it was asked with would give it to the sandbox: in what it says went wrong, in a header, or in
 * an answer. It is masked as the answer passes, whatever pieces that comes in.
 */
import type { ModelRoute } from "../../../inference/routes.ts";
import { EchoFollower } from "../../../secrets/echo-follower.ts";
import { Echoes } from "../../../secrets/echoes.ts";
import { redacted, type Secret } from "../../../secrets/secret.ts";
import type { AnswerEnd, AnswerPieces, TakePiece } from "./answer-body.ts";
import type { BackendAnswer } from "./ask-backend.ts";

/** Shorter keys are stand-ins (`none`, `ollama`), and words that a model may say. Of failures they are taken out all the same. */
const shortestInAnswers = 16;

/** What is looked for in a route's answers. Made once for each route, as long as there is one. */
export class RouteEchoes {
  readonly #made = new WeakMap<ModelRoute, { readonly inFailures: Echoes; readonly inAnswers: Echoes }>();

  of(route: ModelRoute, status: number): Echoes {
    const made = this.#made.get(route) ?? this.#make(route);
    return status < 300 ? made.inAnswers : made.inFailures;
  }

  #make(route: ModelRoute): { readonly inFailures: Echoes; readonly inAnswers: Echoes } {
    const { credential, aws } = route;
    const secrets = [credential, aws?.key.secretAccessKey, aws?.key.sessionToken].filter((each) => each !== undefined);
    const long = secrets.filter((secret) => secret.reveal().length >= shortestInAnswers);
    const made = { inFailures: masking(secrets), inAnswers: masking(long) };
    this.#made.set(route, made);
    return made;
  }
}

function masking(secrets: readonly Secret[]): Echoes {
  return new Echoes(secrets.map((secret) => [redacted, secret] as const));
}

/** The answer, with `[redacted]` wherever the backend repeats a secret. */
export function maskEchoes(answer: BackendAnswer, echoes: Echoes): BackendAnswer {
  return {
    status: answer.status,
    fields: answer.fields.map((field) => ({ ...field, value: echoes.masked(field.value) })),
    body: new MaskedBody(answer.body, echoes),
  };
}

class MaskedBody implements AnswerPieces {
  readonly #body: AnswerPieces;
  readonly #follower: EchoFollower;

  constructor(body: AnswerPieces, echoes: Echoes) {
    this.#body = body;
    this.#follower = new EchoFollower(echoes);
  }

  async each(idleMs: number, take: TakePiece): Promise<AnswerEnd> {
    const end = await this.#body.each(idleMs, (bytes, isLast) => {
      const masked = this.#follower.push(bytes);
      const said = isLast ? Buffer.concat([masked, this.#follower.end()]) : masked;
      return said.length === 0 ? true : take(said, isLast);
    });
    const rest = this.#follower.end();
    if (end.kind !== "whole" || rest.length === 0) return end;
    return (await take(rest, true)) ? end : { kind: "left" };
  }

  discard(): void {
    this.#body.discard();
  }
}
