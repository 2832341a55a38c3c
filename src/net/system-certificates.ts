import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";

/** Where distributions keep the system's authorities as one file: Debian and Alpine, Fedora (twice), SUSE, OpenSSL's own place. */
export const systemBundleFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

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
