/**
 * Step 9 for the parts of one request, whatever version of HTTP it came in: placeholders become the secrets they stand
 * for.
 * Takes  an allowed request, and where its connection goes.
 * Gives  what is forwarded in its place.
 * Refuses credential.endpoint_mismatch | credential.invalid | credential.expired | credential.unavailable; no detail
 *        names a credential, or what stands for it.
 * Assumes the policy has allowed the request (08) and nothing of it was forwarded.
 */
import type { Field } from "../../../net/http1-fields.ts";
import { compilePath } from "../../../policy/match/path.ts";
import type { Endpoint } from "../../../policy/policy.ts";
import type { Peeked, Refusal } from "../connection.ts";
import { type Credential, type Credentials, isBoundTo } from "./credentials.ts";
import type { Placeholder } from "./placeholder-text.ts";

/** Where a request goes, as far as credentials depend on it. */
export interface CredentialPlace {
  readonly connection: Pick<Peeked, "destination" | "endpoints" | "inspected">;
  readonly scheme: "http" | "https";
  /** Canonical path, without the query. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** How a secret is written so that it means itself there; undefined if it can't be. */
export type Spelling = (secret: string) => string | undefined;

/** Puts secrets into the parts of one request; the first thing that is wrong refuses all of it. */
export class CredentialWriter {
  readonly #credentials: Credentials;
  readonly #place: CredentialPlace;
  #refusal: Refusal | undefined;

  constructor(credentials: Credentials, place: CredentialPlace) {
    this.#credentials = credentials;
    this.#place = place;
  }

  /** Why the request must not be forwarded; to be asked when all its parts were written. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Path and query. */
  target(text: string): string {
    return this.write(text, percentEncoded);
  }

  fields(fields: readonly Field[]): readonly Field[] {
    return fields.map((field) => {
      const value = basicCredentials(field) ?? this.write(field.value, fieldText);
      if (typeof value === "string") return value === field.value ? field : { ...field, value };
      const written = this.write(value.decoded, fieldText);
      if (written === value.decoded) return field;
      return { ...field, value: `${value.scheme}${Buffer.from(written, "latin1").toString("base64")}` };
    });
  }

  /** Any text, with secrets in the spelling that it wants. */
  write(text: string, spelling: Spelling): string {
    return this.#credentials.pattern.replace(text, (placeholder) => this.#secretFor(placeholder, spelling));
  }

  /** What a placeholder stands for here; undefined if that is nothing, or the request is refused for it. */
  #secretFor(placeholder: Placeholder, spelling: Spelling): string | undefined {
    const credential = this.#credentials.of(placeholder);
    const refusal = credential === undefined ? unknownPlaceholder : problemWith(credential, this.#place);
    if (refusal === undefined && credential !== undefined) {
      const written = spelling(credential.secret.reveal());
      if (written !== undefined) return written;
    }
    this.#refusal ??= refusal ?? unwritable;
    return undefined;
  }
}

const unknownPlaceholder: Refusal = {
  refused: "credential.invalid",
  detail: "a placeholder of a credential that this sandbox does not have",
};

const unwritable: Refusal = {
  refused: "credential.unavailable",
  detail: "the credential holds characters that can't stand at this place of a request",
};

/** Why the credential does not go there. */
export function problemWith(credential: Credential, place: CredentialPlace): Refusal | undefined {
  const { destination } = place.connection;
  if (!isFor(credential, place)) {
    const detail = `a credential's placeholder on its way to ${destination.host}:${destination.port}`;
    return { refused: "credential.endpoint_mismatch", detail };
  }
  if (credential.expiresAtMs === 0 || place.now < credential.expiresAtMs) return undefined;
  return { refused: "credential.expired", detail: `the credential for ${destination.host} has expired` };
}

function isFor(credential: Credential, { connection, scheme, path }: CredentialPlace): boolean {
  const { destination, endpoints, inspected } = connection;
  // Whoever binds a credential to port 443 means TLS; anybody on the way could read it otherwise.
  if (scheme === "http" && destination.port === 443) return false;
  const named = endpoints.some(
    ({ endpoint }) => endpoint.credentialBinding?.provider === credential.provider && selects(endpoint, path),
  );
  if (!named && !isBoundTo(credential, destination, path)) return false;
  // No rule was held against such a request; the policy must say that it is meant so.
  return inspected || endpoints.some(({ endpoint }) => endpoint.allowUninspectedCredentials);
}

/** Whether the endpoint is about this path. */
export function selects({ path: pattern }: Endpoint, path: string): boolean {
  return pattern === "" || compilePath(pattern)(path);
}

/** The decoded user and password of a Basic field (RFC 7617). */
function basicCredentials({ lower, value }: Field): { readonly scheme: string; readonly decoded: string } | undefined {
  if (lower !== "authorization") return undefined;
  const [, scheme, encoded] = /^(basic +)([A-Za-z0-9+/_-]+={0,2})$/i.exec(value) ?? [];
  if (scheme === undefined || encoded === undefined) return undefined;
  return { scheme, decoded: Buffer.from(encoded, "base64").toString("latin1") };
}

/** A field's value can't hold a line break: it would be the next field. */
function fieldText(secret: string): string | undefined {
  if (/[\0\r\n]/.test(secret)) return undefined;
  return Buffer.from(secret).toString("latin1");
}

function percentEncoded(secret: string): string {
  return encodeURIComponent(secret);
}
