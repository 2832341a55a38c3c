/**
 * Step 9 for what comes back: where the policy says so, secrets that an upstream echoes become again what stands for them.
 * Takes  the parts of a response to one request.
 * Gives  them with each secret's placeholder in its place; whatever the secret was spelt in, as far as a spelling is known.
 * Refuses credential.unmaskable for a response of which nobody could tell.
 * Assumes a body is given as a whole, so that it does not matter in which pieces it came.
 */
import { type Field, fieldTokens } from "../../../net/http1-fields.ts";
import type { ResponseHead } from "../../../net/http1-head.ts";
import type { Refusal } from "../connection.ts";
import type { Credential, Credentials } from "./credentials.ts";
import { type CredentialPlace, selects } from "./put-in-place.ts";

/** A response that is masked is held in memory as a whole; a longer one is refused. */
export const maskedBodyBytes = 256 * 1024;

/** A shorter piece of base64 is found in what has nothing to do with a secret. */
const shortestBase64 = 8;

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
  /** What is looked for, and what is written for it; the longer first, should one be a part of another. */
  readonly #spellings: readonly (readonly [spelling: string, instead: string])[];

  constructor(credentials: Credentials) {
    const all = [...credentials.withPlaceholders()].flatMap(([placeholder, each]) => spellings(placeholder, each));
    this.#spellings = all.sort(([a], [b]) => b.length - a.length);
  }

  /** In latin1, as everything here. */
  text(text: string): string {
    return this.#spellings.reduce((masked, [spelling, instead]) => masked.replaceAll(spelling, () => instead), text);
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

/** The ways in which services write back what they were sent. */
function spellings(placeholder: string, { secret }: Credential): (readonly [string, string])[] {
  const value = secret.reveal();
  if (value === "") return [];
  const json = JSON.stringify(value).slice(1, -1);
  const texts = [value, json, json.replaceAll("/", "\\/"), encodeURIComponent(value)];
  return [
    ...[...new Set(texts)].map((text) => [Buffer.from(text).toString("latin1"), placeholder] as const),
    ...base64Pieces(Buffer.from(value)).map((piece) => [piece, "*".repeat(piece.length)] as const),
  ];
}

/**
 * What base64 makes of the secret inside something longer, such as Basic credentials: three bytes are four characters, so
 * that there are three ways. Characters that hold bits of a neighbour as well are left out.
 */
function base64Pieces(secret: Buffer): string[] {
  const pieces = [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), secret]);
    const from = Math.ceil((before * 4) / 3);
    const end = Math.floor((bytes.length * 4) / 3);
    return [bytes.toString("base64"), bytes.toString("base64url")].map((text) => text.slice(from, end));
  });
  return [...new Set(pieces)].filter((piece) => piece.length >= shortestBase64);
}
