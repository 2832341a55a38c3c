/** The secret that a supervisor shows: good for its sandbox alone, new at each start, and kept here only as a hash. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const TOKEN_BYTES = 32;

export interface IssuedToken {
  readonly token: string;
  readonly hash: Uint8Array;
}

export function issueToken(): IssuedToken {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return { token, hash: hashToken(token) };
}

/** Whether `token` is the one with this hash; takes the same time whatever it is. */
export function isToken(token: string, hash: Uint8Array): boolean {
  const given = hashToken(token);
  return hash.length === given.length && timingSafeEqual(given, hash);
}

function hashToken(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
