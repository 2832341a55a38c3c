/**
 * A gateway's own authority, which vouches for it to its clients and for its clients to it. Made at first start.
 * The authority's key never leaves its place; clients get a bundle of their own.
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
import type { AuthorityPlace } from "./authority-place.ts";

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

interface CertificatePlaces {
  readonly authority: AuthorityPlace;
  /** Of the certificates that it vouches for. */
  readonly directory: string;
}

/** The certificates in these places; made anew where they are missing, near their end, or of the future. */
export async function loadCertificates(
  { authority: place, directory }: CertificatePlaces,
  { now, user, names = [] }: CertificateNames,
): Promise<GatewayCertificates> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const authority = await loadAuthority(place, now);
  const hosts = { dnsNames: ["localhost", ...names.filter((name) => isIP(name) === 0)] };
  const addresses = { ipAddresses: ["127.0.0.1", "::1", ...names.filter((name) => isIP(name) !== 0)] };
  const vouched = { authority: authority.pem, directory, now };
  const server = leaf({ ...vouched, name: "server", names }, () =>
    issueLeaf(authority, {
      subject: { commonName: "openshell-gateway" },
      usage: "server",
      ...hosts,
      ...addresses,
      validity: { now, days: LEAF_DAYS },
    }),
  );
  const client = leaf({ ...vouched, name: "client", names: [] }, () =>
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

async function loadAuthority(place: AuthorityPlace, now: Date): Promise<CertificateAuthority> {
  const stored = await place.read();
  if (stored !== undefined && isCurrent(stored.pem, now)) return loadCertificateAuthority(AUTHORITY, stored);
  const authority = createCertificateAuthority(AUTHORITY, { now, days: AUTHORITY_DAYS });
  await place.write({ pem: authority.pem, keyPem: privateKeyPem(authority.issuer.privateKey) });
  return authority;
}

interface LeafPlace {
  readonly directory: string;
  readonly name: string;
  readonly names: readonly string[];
  /** PEM. */
  readonly authority: string;
  readonly now: Date;
}

function leaf(
  { directory, name, names, authority, now }: LeafPlace,
  issue: () => ReturnType<typeof issueLeaf>,
): { readonly certificate: string; readonly key: string } {
  const [certificatePath, keyPath] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const certificate = existsSync(certificatePath) ? readFileSync(certificatePath, "utf8") : undefined;
  if (certificate !== undefined && isCurrent(certificate, now)) {
    const known = new X509Certificate(certificate);
    // A leaf of an authority that has been replaced is worth nothing, nor is one without a name that clients look for.
    if (known.verify(new X509Certificate(authority).publicKey) && names.every((each) => isFor(known, each))) {
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

function isCurrent(pem: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  // Made while the clock was wrong: nobody would take it before that time has come.
  if (validFromDate > now) return false;
  return validToDate.getTime() - now.getTime() > RENEW_DAYS * DAY_MS;
}
