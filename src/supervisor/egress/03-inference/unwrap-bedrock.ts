/** A Messages answer of Bedrock's, whose events lie in AWS's own stream, as Anthropic would have sent it. */
import { awsEventStream, BedrockStream } from "../../../inference/bedrock-stream.ts";
import type { Dialect } from "../../../inference/dialects.ts";
import { type Field, fieldValue } from "../../../net/http1-fields.ts";
import type { AnswerEnd, AnswerPieces, TakePiece } from "./answer-body.ts";
import type { BackendAnswer } from "./ask-backend.ts";

/** The answer in the dialect that the backend was asked in. */
export function unwrapBedrock(answer: BackendAnswer, asked: Dialect): BackendAnswer {
  if (asked !== "anthropic_messages" || !isAwsEventStream(answer.fields)) return answer;
  const others = answer.fields.filter(({ lower }) => lower !== "content-type");
  const type = { name: "Content-Type", lower: "content-type", value: "text/event-stream" };
  return { ...answer, fields: [...others, type], body: new UnwrappedBody(answer.body) };
}

export function isAwsEventStream(fields: readonly Field[]): boolean {
  return fieldValue(fields, "content-type")?.toLowerCase().startsWith(awsEventStream) ?? false;
}

class UnwrappedBody implements AnswerPieces {
  readonly #wrapped: AnswerPieces;
  readonly #stream = new BedrockStream();

  constructor(wrapped: AnswerPieces) {
    this.#wrapped = wrapped;
  }

  async each(idleMs: number, take: TakePiece): Promise<AnswerEnd> {
    const end = await this.#wrapped.each(idleMs, (bytes, isLast) => {
      const text = this.#stream.push(bytes);
      const taken = text === "" ? true : take(Buffer.from(text), isLast && this.#stream.betweenEvents);
      return this.#stream.broken === undefined ? taken : Promise.resolve(false);
    });
    if (this.#stream.broken !== undefined) return broken(`the backend's stream has ${this.#stream.broken}`);
    return end.kind === "whole" && !this.#stream.betweenEvents ? broken("the backend broke its answer off") : end;
  }

  discard(): void {
    this.#wrapped.discard();
  }
}

function broken(detail: string): AnswerEnd {
  return { kind: "broken", detail, timedOut: false };
}
