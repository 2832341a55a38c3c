/** A Messages answer of Bedrock's, whose events lie in AWS's own stream, as Anthropic would have sent it. */
import { awsEventStream, BedrockStream } from "../../../inference/bedrock-stream.ts";
import type { Dialect } from "../../../inference/dialects.ts";
import { type Field, fieldValue } from "../../../net/http1-fields.ts";
import { type AnswerPiece, type AnswerPieces, wholeOf } from "./answer-body.ts";
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

  async next(idleMs: number): Promise<AnswerPiece> {
    for (;;) {
      const next = await this.#wrapped.next(idleMs);
      if (next.kind === "end" && !this.#stream.betweenEvents) return this.#broken("the backend broke its answer off");
      if (next.kind !== "piece") return next;
      const text = this.#stream.push(next.bytes);
      const isLast = next.isLast && this.#stream.betweenEvents;
      if (text !== "") return { kind: "piece", bytes: Buffer.from(text), isLast };
      if (this.#stream.broken !== undefined) return this.#broken(`the backend's stream has ${this.#stream.broken}`);
    }
  }

  whole(maxBytes: number, idleMs: number): Promise<Buffer | undefined> {
    return wholeOf(this, maxBytes, idleMs);
  }

  discard(): void {
    this.#wrapped.discard();
  }

  #broken(detail: string): AnswerPiece {
    this.discard();
    return { kind: "broken", detail, timedOut: false };
  }
}
