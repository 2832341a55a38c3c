/** Writes and signs X.509 version 3 certificates; RFC 5280. EC P-256 with SHA-256 only (RFC 5758). */
import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { parseIpv4Bytes, parseIpv6Bytes } from "../ip-bytes.ts";
import * as der from "./der.ts";

const oid = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  organization: "2.5.4.10",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** 128 random bits with the top one clear: unique and unforeseeable, and short enough for RFC 5280's 20 octets. */
const serialBytes = 16;

/** RFC 5280 allows 64 characters in a common name (ub-common-name); a longer host stands in the alternative names only. */
export const commonNameLimit = 64;

/** Bits of the KeyUsage extension, first octet; RFC 5280 section 4.2.1.3. */
const keyUsage = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const;

export interface CertificateSubject {
  readonly commonName: string;
  readonly organization?: string;
}

export interface CertificateRequest {
  readonly subject: CertificateSubject;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** `authority` may sign certificates, which may sign none themselves. */
  readonly usage: "authority" | "server" | "client" | "server-and-client";
  readonly dnsNames?: readonly string[];
  /** Canonical text, IPv4 or IPv6. */
  readonly ipAddresses?: readonly string[];
}

/** Who signs: its subject and its keys. For a self-signed certificate, its own. */
export interface CertificateIssuer {
  readonly subject: CertificateSubject;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The certificate in DER. */
export function signCertificate(request: CertificateRequest, issuer: CertificateIssuer): Buffer {
  const algorithm = der.sequence(der.objectIdentifier(oid.ecdsaWithSha256));
  const serial = randomBytes(serialBytes);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // neither negative nor zero, and always of the same length
  const toBeSigned = der.sequence(
    der.explicitContext(0, der.integer(Uint8Array.of(2))), // version 3
    der.integer(serial),
    algorithm,
    distinguishedName(issuer.subject),
    der.sequence(der.time(request.notBefore), der.time(request.notAfter)),
    distinguishedName(request.subject),
    subjectPublicKeyInfo(request.publicKey),
    der.explicitContext(3, der.sequence(...extensions(request, issuer))),
  );
  return der.sequence(toBeSigned, algorithm, der.bitString(sign("sha256", toBeSigned, issuer.privateKey)));
}

/** PEM of a certificate in DER; RFC 7468. */
export function certificatePem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(subject: CertificateSubject): Buffer {
  const parts = [attribute(oid.commonName, subject.commonName)];
  if (subject.organization !== undefined) parts.unshift(attribute(oid.organization, subject.organization));
  return der.sequence(...parts);
}

function attribute(type: string, value: string): Buffer {
  return der.setOfOne(der.sequence(der.objectIdentifier(type), der.utf8String(value)));
}

function subjectPublicKeyInfo(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

function extensions(request: CertificateRequest, issuer: CertificateIssuer): Buffer[] {
  const isAuthority = request.usage === "authority";
  const list = [
    // Path length 0: what this authority signs can't be an authority.
    extension(
      oid.basicConstraints,
      isAuthority ? der.sequence(der.booleanTrue(), der.integer(Uint8Array.of(0))) : der.sequence(),
      { critical: true },
    ),
    extension(oid.keyUsage, keyUsageBits(isAuthority), { critical: true }),
    extension(oid.subjectKeyIdentifier, der.octetString(keyIdentifier(request.publicKey))),
    extension(oid.authorityKeyIdentifier, der.sequence(der.implicitContext(0, keyIdentifier(issuer.publicKey)))),
  ];
  if (!isAuthority) list.push(extension(oid.extendedKeyUsage, extendedKeyUsage(request.usage)));
  const names = alternativeNames(request);
  if (names.length > 0) list.push(extension(oid.subjectAltName, der.sequence(...names)));
  return list;
}

function extension(id: string, value: Buffer, options: { critical?: boolean } = {}): Buffer {
  const critical = options.critical === true ? [der.booleanTrue()] : [];
  return der.sequence(der.objectIdentifier(id), ...critical, der.octetString(value));
}

function keyUsageBits(isAuthority: boolean): Buffer {
  // Trailing zero bits of a named bit list are not written (X.690 section 11.2.2).
  return isAuthority
    ? der.bitString(Uint8Array.of(keyUsage.keyCertSign | keyUsage.crlSign), 1)
    : der.bitString(Uint8Array.of(keyUsage.digitalSignature), 7);
}

function extendedKeyUsage(usage: CertificateRequest["usage"]): Buffer {
  const purposes: string[] = [];
  if (usage === "server" || usage === "server-and-client") purposes.push(oid.serverAuth);
  if (usage === "client" || usage === "server-and-client") purposes.push(oid.clientAuth);
  return der.sequence(...purposes.map((purpose) => der.objectIdentifier(purpose)));
}

/** GeneralName: dNSName is [2] IA5String, iPAddress [7] OCTET STRING; RFC 5280 section 4.2.1.6. */
function alternativeNames(request: CertificateRequest): Buffer[] {
  const names = (request.dnsNames ?? []).map((name) => der.implicitContext(2, Buffer.from(name, "latin1")));
  for (const text of request.ipAddresses ?? []) {
    const bytes = text.includes(":") ? parseIpv6Bytes(text) : parseIpv4Bytes(text);
    if (bytes === undefined) throw new Error(`not an IP address: ${text}`);
    names.push(der.implicitContext(7, bytes));
  }
  return names;
}

/** RFC 7093 section 2, method 1: 160 bits of the SHA-256 of the key. Any value would do that is the same on both sides. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha256").update(subjectPublicKeyInfo(key)).digest().subarray(0, 20);
}
