import { X509Certificate } from "node:crypto";

/** The certificates (PEM) in a text; what looks like one and is none is left out: it would spoil all. */
export function certificatesIn(text: string): string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\w+/=\s]+?-----END CERTIFICATE-----/g) ?? [];
  const isCertificate = (pem: string) => {
    try {
      return new X509Certificate(pem).raw.length > 0;
    } catch {
      return false;
    }
  };
  return [...new Set(blocks)]
    .filter(isCertificate)
    .map((pem) => `${pem}\n`)
    .join("");
}
