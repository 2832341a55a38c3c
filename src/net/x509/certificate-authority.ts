/** A certificate authority whose key is in memory, unless whoever made it writes it out. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { type CertificateIssuer, type CertificateSubject, certificatePem, signCertificate } from "./certificate.ts";

const millisecondsPerDay = 86_400_000;

/** Certificates are valid from a while ago, for machines whose clock is behind. */
const backdatedMilliseconds = 3_600_000;

export interface CertificateAuthority {
  /** The authority's own certificate. */
  readonly pem: string;
  /** The authority's certificate again, and what signs with its key. */
  readonly issuer: CertificateIssuer;
  readonly notAfter: Date;
}

export interface IssuedCertificate {
  /** The certificate alone; the authority is known to whoever trusts it. */
  readonly pem: string;
  readonly key: KeyObject;
}

export interface Validity {
  readonly now: Date;
  readonly days: number;
}

/** Makes a self-signed authority with a new EC P-256 key. */
export function createCertificateAuthority(subject: CertificateSubject, validity: Validity): CertificateAuthority {
  const issuer: CertificateIssuer = { subject, ...newKeyPair() };
  const period = validityPeriod(validity);
  const pem = certificatePem(
    signCertificate({ subject, publicKey: issuer.publicKey, ...period, usage: "authority" }, issuer),
  );
  return { pem, issuer, notAfter: period.notAfter };
}

/**
 * An authority from its stored certificate and key, of which `subject` must be the one it was made with.
 * @throws Error if they do not belong together
 */
export function loadCertificateAuthority(
  subject: CertificateSubject,
  stored: { readonly pem: string; readonly keyPem: string },
): CertificateAuthority {
  const privateKey = createPrivateKey(stored.keyPem);
  const certificate = new X509Certificate(stored.pem);
  if (!certificate.checkPrivateKey(privateKey)) throw new Error("the authority's certificate and key differ");
  const issuer = { subject, privateKey, publicKey: createPublicKey(privateKey) };
  return { pem: stored.pem, issuer, notAfter: certificate.validToDate };
}

export interface LeafRequest {
  readonly subject: CertificateSubject;
  readonly usage: "server" | "client" | "server-and-client";
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly validity: Validity;
  /** A key to use again; a new one is made if there is none. */
  readonly keys?: KeyPair;
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Issues an end-entity certificate; it never outlives its authority. */
export function issueLeaf(authority: CertificateAuthority, request: LeafRequest): IssuedCertificate {
  const keys = request.keys ?? newKeyPair();
  const { notBefore, notAfter } = validityPeriod(request.validity);
  const certificate = signCertificate(
    {
      subject: request.subject,
      publicKey: keys.publicKey,
      notBefore,
      notAfter: new Date(Math.min(notAfter.getTime(), authority.notAfter.getTime())),
      usage: request.usage,
      dnsNames: request.dnsNames ?? [],
      ipAddresses: request.ipAddresses ?? [],
    },
    authority.issuer,
  );
  return { pem: certificatePem(certificate), key: keys.privateKey };
}

/** A new EC P-256 key pair; about 0.1 ms. */
export function newKeyPair(): KeyPair {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** A key as PKCS #8 in PEM, for a file or for OpenSSL. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function validityPeriod({ now, days }: Validity): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - backdatedMilliseconds),
    notAfter: new Date(now.getTime() + days * millisecondsPerDay),
  };
}
