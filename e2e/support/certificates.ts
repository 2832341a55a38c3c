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
  /** Days from now until it is valid. Default: it has been for two days. */
  readonly validIn?: number;
  /** As `openssl req -newkey` takes it. Default: EC P-256. */
  readonly key?: "rsa:1024" | "rsa:2048";
  /** What the signature is over. Default: SHA-256. */
  readonly digest?: "md5" | "sha1";
  /** Default: a server's. */
  readonly usage?: "clientAuth";
}

/** EC P-256 keys: what most servers have today, and quickly made. */
const ecKey = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** A new authority that vouches for itself. */
export function createAuthority(name: string): Certificate {
  return inScratch((openssl, read) => {
    const key = ["-newkey", ...ecKey, "-nodes", "-keyout", "key"];
    openssl("req", "-x509", ...key, "-out", "crt", "-days", "30", "-subj", `/CN=${name}`);
    return { certificate: read("crt"), key: read("key") };
  });
}

/** A server's certificate from an authority, with the authority's own where it is not a root. */
export function issueLeaf(authority: Certificate, options: LeafOptions): Certificate {
  const usage = options.usage ?? "serverAuth";
  const extensions = `subjectAltName=${options.names.join(",")}\nextendedKeyUsage=${usage}\n`;
  return issue(authority, { ...options, subject: "server", extensions });
}

export interface AuthorityOptions {
  /** What it may speak of, if not of all names, such as `DNS:internal.example.test`. */
  readonly permitted?: string;
  readonly key?: "rsa:2048";
}

/** An authority that another one vouches for. */
export function issueAuthority(authority: Certificate, { permitted, ...options }: AuthorityOptions): Certificate {
  const constraints = permitted === undefined ? "" : `nameConstraints=critical,permitted;${permitted}\n`;
  const extensions = `basicConstraints=critical,CA:TRUE\n${constraints}`;
  return issue(authority, { ...options, subject: "Intermediate", extensions });
}

/** A server's certificate that it has signed itself. */
export function selfSigned(name: string): Certificate {
  return inScratch((openssl, read) => {
    const key = ["-newkey", ...ecKey, "-nodes", "-keyout", "key"];
    openssl("req", "-x509", ...key, "-out", "crt", "-subj", "/CN=server", "-addext", `subjectAltName=${name}`);
    return { certificate: read("crt"), key: read("key") };
  });
}

interface IssueOptions extends Omit<LeafOptions, "names" | "usage"> {
  readonly subject: string;
  readonly extensions: string;
}

/** openssl-ca(1), since openssl-x509(1) can't date a certificate into the future. */
const caConfiguration = `
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
policy = any
[any]
commonName = supplied
`;

function issue(authority: Certificate, options: IssueOptions): Certificate {
  const { subject, extensions, days = 30, validIn = -2, key, digest = "sha256" } = options;
  return inScratch((openssl, read, write) => {
    write("ca.crt", authority.certificate);
    write("ca.key", authority.key);
    write("ca.cnf", caConfiguration);
    write("index", "");
    write("extensions", extensions);
    const newKey = key === undefined ? ecKey : [key];
    openssl("req", "-newkey", ...newKey, "-nodes", "-keyout", "key", "-out", "csr", "-subj", `/CN=${subject}`);
    const from = ["-config", "ca.cnf", "-cert", "ca.crt", "-keyfile", "ca.key"];
    const dates = ["-startdate", dateIn(validIn), "-enddate", dateIn(days)];
    const what = ["-md", digest, "-extfile", "extensions", "-in", "csr", "-out", "crt"];
    openssl("ca", "-batch", "-notext", ...from, ...dates, ...what);
    return { certificate: `${read("crt")}${authority.certificate}`, key: read("key") };
  });
}

/** As ASN.1's UTCTime has it: YYMMDDHHMMSSZ. */
function dateIn(days: number): string {
  const date = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${date.slice(2, 19).replaceAll(/[-T:]/g, "")}Z`;
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
