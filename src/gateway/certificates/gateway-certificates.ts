/**
 * The local gateway's own authority, which vouches for it to its clients and for its clients to it. Made at first start.
 * The authority's key never leaves the state directory; clients get a bundle of their own.
 */

import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { writeAtomically } from "../../locations/gateway-entry.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueLeaf,
  loadCertificateAuthority,
  privateKeyPem,
} from "../../net/x509/certificate-authority.ts";

export interface GatewayCertificates {
  /** The authority's certificate. */
  readonly authority: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

const AUTHORITY = { commonName: "OpenShell local gateway authority", organization: "OpenShell" };
/** Ten years: nobody renews the authority of a program on his own machine. */
const AUTHORITY_DAYS = 3_650;
/** The longest that TLS clients of all kinds accept for a server's certificate. */
const LEAF_DAYS = 397;
/** Renewed at a start within this time of the end. */
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;

interface CertificateNames {
  readonly now: Date;
  /** Whose the client certificate is. */
  readonly user: string;
  /** Hosts and addresses by which clients reach the gateway, besides this machine's. */
  readonly names?: readonly string[];
}

/** The certificates in `directory`; made anew where they are missing, near their end, or of the future. */
export function loadCertificates(directory: string, { now, user, names = [] }: CertificateNames): GatewayCertificates {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = loadAuthority(directory, now);
  const hosts = { dnsNames: ["localhost", ...names.filter((name) => isIP(name) === 0)] };
  const addresses = { ipAddresses: ["127.0.0.1", "::1", ...names.filter((name) => isIP(name) !== 0)] };
  const server = leaf(directory, { name: "server", now, names }, () =>
    issueLeaf(authority, {
      subject: { commonName: "openshell-gateway" },
      usage: "server",
      ...hosts,
      ...addresses,
      validity: { now, days: LEAF_DAYS },
    }),
  );
  const client = leaf(directory, { name: "client", now, names: [] }, () =>
    issueLeaf(authority, { subject: { commonName: user }, usage: "client", validity: { now, days: LEAF_DAYS } }),
  );
  return {
    authority: authority.pem,
    serverCertificate: server.certificate,
    serverKey: server.key,
    clientCertificate: client.certificate,
    clientKey: client.key,
  };
}

function loadAuthority(directory: string, now: Date): CertificateAuthority {
  const [certificatePath, keyPath] = [join(directory, "ca.crt"), join(directory, "ca.key")];
  if (isCurrent(certificatePath, now)) {
    const stored = { pem: readFileSync(certificatePath, "utf8"), keyPem: readFileSync(keyPath, "utf8") };
    return loadCertificateAuthority(AUTHORITY, stored);
  }
  const authority = createCertificateAuthority(AUTHORITY, { now, days: AUTHORITY_DAYS });
  // The key first: a certificate without its key would look complete to the next start.
  writeAtomically(keyPath, privateKeyPem(authority.issuer.privateKey));
  writeAtomically(certificatePath, authority.pem);
  return authority;
}

function leaf(
  directory: string,
  { name, now, names }: { readonly name: string; readonly now: Date; readonly names: readonly string[] },
  issue: () => ReturnType<typeof issueLeaf>,
): { readonly certificate: string; readonly key: string } {
  const [certificatePath, keyPath] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const authority = new X509Certificate(readFileSync(join(directory, "ca.crt")));
  if (isCurrent(certificatePath, now)) {
    const certificate = readFileSync(certificatePath, "utf8");
    const known = new X509Certificate(certificate);
    // A leaf of an authority that has been replaced is worth nothing, nor is one without a name that clients look for.
    if (known.verify(authority.publicKey) && names.every((each) => isFor(known, each))) {
      return { certificate, key: readFileSync(keyPath, "utf8") };
    }
  }
  const issued = issue();
  const key = privateKeyPem(issued.key);
  writeAtomically(keyPath, key);
  writeAtomically(certificatePath, issued.pem);
  return { certificate: issued.pem, key };
}

function isFor(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  return (certificate.subjectAltName ?? "").split(", ").includes(`DNS:${name}`);
}

function isCurrent(certificatePath: string, now: Date): boolean {
  if (!existsSync(certificatePath)) return false;
  const { validFromDate, validToDate } = new X509Certificate(readFileSync(certificatePath));
  // Made while the clock was wrong: nobody would take it before that time has come.
  if (validFromDate > now) return false;
  return validToDate.getTime() - now.getTime() > RENEW_DAYS * DAY_MS;
}
