/**
 * Step 9 for what comes back: where the policy says so, secrets that an upstream echoes become again what stands for them.
 * Takes  the parts of a response to one request.
 * Gives  them with each secret's placeholder in its place; whatever the secret was spelt in, as far as a spelling is known.
 * Refuses credential.unmaskable for a response of which nobody could tell.
 * Assumes a body is given as a whole, so that it does not matter in which pieces it came.
 */
import { type Field, fieldTokens } from "../../../net/http1-fields.ts";
import type { ResponseHead } from "../../../net/http1-head.ts";
import { Echoes } from "../../../secrets/echoes.ts";
import type { Secret } from "../../../secrets/secret.ts";
import type { Refusal } from "../connection.ts";
import type { Credentials } from "./credentials.ts";
import { type CredentialPlace, selects } from "./put-in-place.ts";

/** A response that is masked is held in memory as a whole; a longer one is refused. */
export const maskedBodyBytes = 256 * 1024;

const PARTIAL_CONTENT = 206;

/** The mask for the response to a request; undefined where none is asked for. */
export function responseMask(
  { connection, path }: CredentialPlace,
  credentials: Credentials,
): ResponseMask | undefined {
  const isAsked = connection.endpoints.some(({ endpoint }) => endpoint.maskCredentials && selects(endpoint, path));
  return isAsked ? new ResponseMask(credentials) : undefined;
}

/** The request's fields so that its response can be read: not compressed, and no part of it that could split a secret. */
export function askForWhole(fields: readonly Field[]): readonly Field[] {
  const kept = fields.filter(({ lower }) => !["accept-encoding", "range", "if-range"].includes(lower));
  return [...kept, { name: "Accept-Encoding", lower: "accept-encoding", value: "identity" }];
}

export class ResponseMask {
  readonly #pairs: (readonly [instead: string, secret: Secret])[] = [];
  #credentials: Credentials | undefined;
  #echoes = new Echoes([]);

  constructor(credentials: Credentials) {
    this.learn(credentials);
  }

  /** Masks the secrets of these as well, on a connection that outlives a rotation. */
  learn(credentials: Credentials): void {
    if (credentials === this.#credentials) return;
    this.#credentials = credentials;
    for (const [instead, { secret }] of credentials.withPlaceholders()) this.#pairs.push([instead, secret]);
    this.#echoes = new Echoes(this.#pairs);
  }

  /** In latin1, as everything here. */
  text(text: string): string {
    return this.#echoes.masked(text);
  }

  fields(fields: readonly Field[]): readonly Field[] {
    return fields.map((field) => ({ ...field, value: this.text(field.value) }));
  }

  head(head: ResponseHead): ResponseHead {
    return { ...head, reason: this.text(head.reason), fields: this.fields(head.fields) };
  }

  body(content: Buffer): Buffer {
    return Buffer.from(this.text(content.toString("latin1")), "latin1");
  }

  /** Why a response with a body can't be masked. */
  problemWith({ status, fields }: Pick<ResponseHead, "status" | "fields">): Refusal | undefined {
    if (status === PARTIAL_CONTENT)
      return unmaskable("is a part of what was asked for, and was not asked for in parts");
    const encodings = fieldTokens(fields, "content-encoding").filter((encoding) => encoding !== "identity");
    return encodings.length > 0 ? unmaskable("is compressed, though it was asked for as it is") : undefined;
  }
}

export const tooLongToMask: Refusal = unmaskable(`is longer than ${maskedBodyBytes} bytes`);

export function unmaskable(why: string): Refusal {
  return { refused: "credential.unmaskable", detail: `the response ${why}` };
}
