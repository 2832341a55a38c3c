/** Which authorities are trusted: by the sandbox's programs, and by the supervisor when it verifies an upstream. */
import { readFileSync } from "node:fs";
import { createSecureContext, DEFAULT_CIPHERS, getCACertificates, type SecureContext } from "node:tls";

/** Where distributions keep the system's authorities as one file: Debian and Alpine, Fedora, SUSE, OpenSSL's own place. */
const systemBundleFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * OpenSSL's level 2: RSA and DH from 2048 bits, elliptic curves from 224, no SHA-1 in signatures. Written out, since a
 * build or a configuration file may have lowered it.
 */
const strictCiphers = `${DEFAULT_CIPHERS}:@SECLEVEL=2`;

/**
 * The system's authorities in PEM. Not those that come with Node: an administrator who removed or added one meant it.
 * Falls back to what Node finds where OpenSSL would look, and may be empty; then no upstream can be verified.
 */
export function systemCertificates(): string {
  for (const file of systemBundleFiles) {
    try {
      return readFileSync(file, "utf8");
    } catch {
      // Another distribution's place; the next one is tried.
    }
  }
  // The directory holds each certificate under several names.
  return [...new Set(getCACertificates("system"))].join("\n");
}

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
