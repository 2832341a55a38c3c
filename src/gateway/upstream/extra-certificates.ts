/** Authorities that the gateway's user trusts besides the system's. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemCertificates } from "../../net/system-certificates.ts";

const block = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** The certificates in a text, each in PEM. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(block) ?? [];
}

/** Each certificate once, and none that the system trusts anyway: the variables mostly name the system's own bundle. */
export function besidesSystem(certificates: readonly string[]): string {
  if (certificates.length === 0) return "";
  const known = new Set(certificatesIn(systemCertificates()));
  const extra = new Set(certificates.filter((certificate) => !known.has(certificate)));
  return Array.from(extra, (certificate) => `${certificate}\n`).join("");
}

/** What the variables of OpenSSL and Node name. Both pass over what is not there. */
export function certificatesOfEnvironment(environment: Readonly<Record<string, string | undefined>>): string[] {
  const files = [environment["SSL_CERT_FILE"], environment["NODE_EXTRA_CA_CERTS"]];
  const directories = (environment["SSL_CERT_DIR"] ?? "").split(":").filter((path) => path !== "");
  const paths = [...files.flatMap((path) => path || []), ...directories.flatMap(filesIn)];
  return paths.flatMap((path) => certificatesIn(readIfThere(path)));
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
