/**
 * Authenticated encryption of small values: AES-256-GCM (NIST SP 800-38D) with a fresh random nonce for each value. What
 * the value belongs to is authenticated with it, so that a sealed value that was copied to another place does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of every sealed value, so that another scheme can be told from this one later. */
const SCHEME = 1;

/** The sealed form of `plain`: scheme, nonce, ciphertext, tag. */
export function seal(key: Uint8Array, plain: Uint8Array, belongsTo: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(belongsTo));
  return Buffer.concat([Buffer.of(SCHEME), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** What was sealed; undefined if it was with another key, for another place, or has been changed. */
export function unseal(key: Uint8Array, sealed: Uint8Array, belongsTo: string): Buffer | undefined {
  if (sealed[0] !== SCHEME || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(belongsTo));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const ciphertext = sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return undefined;
  }
}
