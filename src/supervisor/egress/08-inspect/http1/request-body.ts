/**
 * A request's body, read ahead of forwarding for inspectors that must know the whole of it. Its bytes go back to where
 * they came from, framing and all, so that what is forwarded is what the client sent.
 */
import type { ByteReader } from "../../../../net/byte-reader.ts";
import { BodyFollower } from "../../../../net/http1-body.ts";
import { foldedName } from "../../../../net/http1-fields.ts";
import { inspectedBodyTimeoutMs, inspectedFramingBytes } from "../../10-forward/limits.ts";
import type { Refusal } from "../../connection.ts";
import type { RequestContent } from "../content.ts";
import type { UnderstoodRequest } from "./understand.ts";

export class RequestBody implements RequestContent {
  readonly #client: ByteReader;
  #request: UnderstoodRequest;

  constructor(client: ByteReader, request: UnderstoodRequest) {
    this.#client = client;
    this.#request = request;
  }

  /** The request as it is now: a client that was asked for its body waits for no `100 Continue` any more. */
  get request(): UnderstoodRequest {
    return this.#request;
  }

  fieldValues(lower: string): readonly string[] {
    return this.#request.fields.filter((field) => foldedName(field.lower) === lower).map(({ value }) => value);
  }

  async readBody(maxBytes: number): Promise<Buffer | "too-large" | Refusal> {
    const { framing } = this.#request;
    if (framing.kind === "length" && framing.length > maxBytes) return "too-large";
    this.#askForBody();
    const payload: Buffer[] = [];
    const wire: Buffer[] = [];
    const body = new BodyFollower(framing, (piece) => payload.push(Buffer.from(piece)));
    const problem = await this.#follow(body, wire, maxBytes);
    this.#client.putBack(Buffer.concat(wire));
    return problem ?? Buffer.concat(payload);
  }

  /** Takes the body's bytes off the client, until its end or a problem. */
  async #follow(body: BodyFollower, wire: Buffer[], maxBytes: number): Promise<"too-large" | Refusal | undefined> {
    const deadline = performance.now() + inspectedBodyTimeoutMs;
    let taken = 0;
    while (!body.ended) {
      const progress = body.advance(this.#client.bytes);
      if (progress.kind === "malformed") return { refused: "inspect.ambiguous", detail: progress.detail };
      wire.push(Buffer.from(this.#client.bytes.subarray(0, progress.taken)));
      this.#client.take(progress.taken);
      taken += progress.taken;
      if (body.payloadBytes > maxBytes || taken > maxBytes + inspectedFramingBytes) return "too-large";
      if (body.ended) return undefined;
      const filled = await this.#client.fill(Math.max(0, deadline - performance.now()));
      if (filled === "timeout") return { refused: "peek.timeout", detail: "the body did not come in time" };
      if (filled !== "data") return { refused: "forward.reset", detail: "the client left before its body was whole" };
    }
    return undefined;
  }

  /** Puts another body in place of the one that was read, which was all there. */
  replace(payload: Buffer): void {
    const body = new BodyFollower(this.#request.framing);
    const progress = body.advance(this.#client.bytes);
    if (progress.kind !== "end") throw new Error("a body can only be replaced when all of it was read");
    this.#client.take(progress.taken);
    this.#client.putBack(payload);
    this.#request = { ...this.#request, framing: { kind: "length", length: payload.length } };
  }

  #askForBody(): void {
    if (!this.#request.expectsContinue) return;
    this.#request = { ...this.#request, expectsContinue: false };
    this.#client.stream.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
  }
}
