/**
 * How the sandbox's programs come to trust its authority: as files, in each of the forms that they want. Variables of the
 * environment name these files where a program reads any (environment.ts); the rest is found where programs look by
 * themselves.
 */
import { javaTrustStore } from "./java-trust-store.ts";

/** Where programs are told to find what they trust. */
export const TRUST_BUNDLE = "/etc/openshell-tls/ca-bundle.crt";
export const AUTHORITY = "/etc/openshell-tls/openshell-ca.crt";
export const JAVA_TRUST_STORE = "/etc/openshell-tls/java-cacerts";

/** Names below `/etc`, each with what distributions keep in its place. */
export const systemTrust: Readonly<Record<string, string>> = {
  // Programs that read none of the variables (Go's, for example) look there, and so does whoever names such a file in a
  // configuration of their own.
  "ssl/certs/ca-certificates.crt": TRUST_BUNDLE,
  "ssl/cert.pem": TRUST_BUNDLE,
  "ssl/ca-bundle.pem": TRUST_BUNDLE,
  "pki/tls/certs/ca-bundle.crt": TRUST_BUNDLE,
  "pki/ca-trust/extracted/pem/tls-ca-bundle.pem": TRUST_BUNDLE,
  // A variable for Java there is, but every program that is started with it says so on its standard error.
  "ssl/certs/java/cacerts": JAVA_TRUST_STORE,
  "pki/java/cacerts": JAVA_TRUST_STORE,
  "pki/ca-trust/extracted/java/cacerts": JAVA_TRUST_STORE,
};

/** Where Chromium and its kin look for what their administrator decides, below `/etc`. */
const browserPolicies = ["chromium", "opt/chrome", "opt/chrome_for_testing", "opt/edge"].map(
  (browser) => `${browser}/policies/managed/openshell.json`,
);

/** What the sandbox's programs trust. */
export interface SandboxTrust {
  /** PEM: all of it. */
  readonly bundle: string;
  /** PEM: the sandbox's own certificate authority alone. */
  readonly authority: string;
}

/** The files, by their names below `/etc`. */
export function trustFiles(trust: SandboxTrust): Record<string, string | Buffer> {
  return {
    ...sharedTrustFiles(trust),
    // Chromium brings its own authorities and reads no file of the system's.
    ...Object.fromEntries(browserPolicies.map((name) => [name, browserPolicy(trust.authority)])),
  };
}

/** Those of them that are in a folder of ours. */
export function sharedTrustFiles({ bundle, authority }: SandboxTrust): Record<string, string | Buffer> {
  return {
    [belowEtc(TRUST_BUNDLE)]: bundle,
    [belowEtc(AUTHORITY)]: authority,
    [belowEtc(JAVA_TRUST_STORE)]: javaTrustStore(bundle),
  };
}

const belowEtc = (path: string): string => path.slice("/etc/".length);

/** https://chromeenterprise.google/policies/#CACertificates: DER in base64, which is PEM without its frame. */
function browserPolicy(authority: string): string {
  const der = authority.replaceAll(/-----[^-]+-----|\s/g, "");
  return `${JSON.stringify({ CACertificates: [der] })}\n`;
}
