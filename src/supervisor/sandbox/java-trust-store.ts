/**
 * Java's own form of a list of trusted certificates, JKS, which every Java reads whatever kind it expects by default. Its
 * layout is that of `sun.security.provider.JavaKeyStore` in OpenJDK: numbers are big-endian, texts have their length before
 * them, and a digest over all that comes before it ends the file.
 */
import { createHash } from "node:crypto";

const magic = 0xfeedfeed;
const version = 2;
const trustedCertificate = 2;

/** What Java's own store has; there is nothing secret in it, and programs read it without. */
const password = "changeit";
/** What JKS puts between the password and the contents. */
const whitener = "Mighty Aphrodite";

const pemBlock = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;

/** A trust store with the certificates of a bundle in PEM. */
export function javaTrustStore(bundle: string): Buffer {
  const certificates = Array.from(bundle.matchAll(pemBlock), ([, base64 = ""]) => Buffer.from(base64, "base64"));
  const contents = Buffer.concat([
    ...[magic, version, certificates.length].map(number),
    ...certificates.flatMap((certificate, index) => [
      number(trustedCertificate),
      text(`authority-${index}`),
      // When it was entered: the same bundle always makes the same file.
      Buffer.alloc(8),
      text("X.509"),
      number(certificate.length),
      certificate,
    ]),
  ]);
  const digest = createHash("sha1").update(utf16(password)).update(whitener).update(contents).digest();
  return Buffer.concat([contents, digest]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** All texts here are ASCII, for which Java's modified UTF-8 is the same. */
function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value, "latin1")]);
}

/** Java's characters: UTF-16, the high byte first. */
const utf16 = (value: string): Buffer => Buffer.from(value, "utf16le").swap16();
