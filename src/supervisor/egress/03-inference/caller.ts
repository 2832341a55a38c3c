/** The caller's side of one call: answers whole or piece by piece, in the caller's dialect and version of HTTP. */
import type { Dialect } from "../../../inference/dialects.ts";
import { type CallError, errorAnswer, errorEvent } from "../../../inference/error-body.ts";

export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface AnswerOptions {
  readonly headers?: HeaderList;
  /** Whether the connection ends with the answer, where it can carry no other. */
  readonly close?: boolean;
}

export abstract class Caller {
  readonly dialect: Dialect;

  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** Whether a part of an answer has been sent, so that no other can be. */
  abstract get isStreaming(): boolean;

  /** A whole JSON answer. False: nobody takes it. */
  abstract answer(status: number, body: string, options?: AnswerOptions): Promise<boolean>;

  /** The head of an answer that comes in pieces; those that are there already leave with it. */
  abstract begin(status: number, headers: HeaderList): void;

  /** What is written until the event loop turns leaves in one write. */
  abstract joinTurn(): void;

  /** The next piece; waits while the caller has enough to read. False: nobody takes it any more. */
  abstract piece(bytes: Buffer): true | Promise<boolean>;

  /** The end of an answer that came in pieces. */
  abstract end(): void;

  /** A failure, in the caller's dialect: as the answer, or as the last event of one that had begun. */
  async fail(error: CallError, options: AnswerOptions): Promise<void> {
    if (this.isStreaming) {
      // No end follows: who does not understand the event sees at least that the answer is not whole.
      await this.piece(errorEvent(this.dialect, error));
      return;
    }
    const { headers, body } = errorAnswer(this.dialect, error);
    await this.answer(error.status, body, { ...options, headers: [...headers, ...(options.headers ?? [])] });
  }
}
