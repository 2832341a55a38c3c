/** Which authorities are trusted: by the sandbox's programs, and by the supervisor when it verifies an upstream. */
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext } from "node:tls";

/**
 * OpenSSL's level 2: RSA and DH from 2048 bits, elliptic curves from 224, no SHA-1 in signatures. Written out, since a
 * build or a configuration file may have lowered it.
 */
const strictCiphers = `${DEFAULT_CIPHERS}:@SECLEVEL=2`;

/** What the sandbox's programs are given in place of the system's bundle: the same, and the sandbox's own authority. */
export function trustBundle(systemPem: string, caPem: string): string {
  const system = systemPem === "" || systemPem.endsWith("\n") ? systemPem : `${systemPem}\n`;
  return `${system}${caPem}`;
}

/** The authorities for upstreams. Read at the first use, since it costs some 10 ms that most sandboxes never need. */
export class UpstreamTrust {
  readonly #read: () => string;
  #context: SecureContext | undefined;

  /** @param read gives the authorities in PEM: the system's, and what the image or the user adds */
  constructor(read: () => string) {
    this.#read = read;
  }

  get context(): SecureContext {
    this.#context ??= createSecureContext({ ca: this.#read(), minVersion: "TLSv1.2", ciphers: strictCiphers });
    return this.#context;
  }
}
