/**
 * Certificates for the servers of the tests, made by openssl(1), so that the product is not tested against its own
 * understanding of X.509.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate with its key, both PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface LeafOptions {
  /** Such as `DNS:api.example.test` or `IP:10.77.0.1`. */
  readonly names: readonly string[];
  /** Days from now until it expires; less than 0 for one that has expired. Default: 30. */
  readonly days?: number;
}

/** EC P-256 keys: what most servers have today, and quickly made. */
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A new authority that vouches for itself. */
export function createAuthority(name: string): Certificate {
  return inScratch((openssl, read) => {
    openssl("req", "-x509", ...newKey, "-keyout", "key", "-out", "crt", "-days", "30", "-subj", `/CN=${name}`);
    return { certificate: read("crt"), key: read("key") };
  });
}

/** A server's certificate from an authority. */
export function issueLeaf(authority: Certificate, { names, days = 30 }: LeafOptions): Certificate {
  return inScratch((openssl, read, write) => {
    write("ca.crt", authority.certificate);
    write("ca.key", authority.key);
    write("extensions", `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth\n`);
    openssl("req", ...newKey, "-keyout", "key", "-out", "csr", "-subj", "/CN=server");
    const from = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl("x509", "-req", "-in", "csr", ...from, "-days", String(days), "-extfile", "extensions", "-out", "crt");
    return { certificate: read("crt"), key: read("key") };
  });
}

type Work = (
  openssl: (...args: readonly string[]) => void,
  read: (file: string) => string,
  write: (file: string, text: string) => void,
) => Certificate;

function inScratch(work: Work): Certificate {
  const directory = mkdtempSync(join(tmpdir(), "openshell-e2e-certificate-"));
  try {
    return work(
      (...args) => void execFileSync("openssl", args, { cwd: directory, stdio: "pipe" }),
      (file) => readFileSync(join(directory, file), "utf8"),
      (file, text) => writeFileSync(join(directory, file), text, { mode: 0o600 }),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}
