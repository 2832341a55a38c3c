/**
 * The sandbox's own certificate authority. Made anew at each start; its key is in this process's memory and nowhere else,
 * and nobody but the sandbox is told to trust it.
 */
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import { commonNameLimit } from "../../../net/x509/certificate.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueLeaf,
  newKeyPair,
  privateKeyPem,
} from "../../../net/x509/certificate-authority.ts";

/** Longer than any sandbox runs without being restarted, which makes a new authority. */
const authorityDays = 3650;

/** A clock that goes wrong by less, and is set back while the sandbox runs, does not make the authority one of the future. */
const clockErrorMilliseconds = 365 * 86_400_000;

/** A leaf is made anew after a third of this. Clients refuse leaves of more than 398 days. */
const leafDays = 30;
const leafReuseMilliseconds = 10 * 86_400_000;

/** Hosts whose leaf is kept, the least recently used forgotten first. Each takes some 30 KB; another costs 1 ms. */
const keptLeaves = 256;

interface KeptLeaf {
  readonly context: SecureContext;
  readonly issuedAt: number;
}

export class SandboxAuthority {
  readonly #authority: CertificateAuthority;
  /** One key for all leaves: whoever could read one from this process could read the authority's. */
  readonly #leafKeys = newKeyPair();
  readonly #leafKeyPem = privateKeyPem(this.#leafKeys.privateKey);
  readonly #leaves = new Map<CanonicalHost, KeptLeaf>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(sandboxId: string, now: () => number = Date.now) {
    this.#now = now;
    const subject = { commonName: commonName(`OpenShell sandbox ${sandboxId}`), organization: "OpenShell" };
    const since = new Date(now() - clockErrorMilliseconds);
    this.#authority = createCertificateAuthority(subject, { now: since, days: authorityDays });
  }

  /** The authority's certificate, which goes into the sandbox's trust bundle. */
  get pem(): string {
    return this.#authority.pem;
  }

  /** What a TLS server needs to be `host`, a name or an address. */
  contextFor(host: CanonicalHost): SecureContext {
    const leaf = this.#kept(host) ?? this.#issue(host);
    this.#leaves.delete(host);
    this.#leaves.set(host, leaf);
    if (this.#leaves.size > keptLeaves) {
      const [oldest] = this.#leaves.keys();
      if (oldest !== undefined) this.#leaves.delete(oldest);
    }
    return leaf.context;
  }

  #kept(host: CanonicalHost): KeptLeaf | undefined {
    const leaf = this.#leaves.get(host);
    const age = this.#now() - (leaf?.issuedAt ?? 0);
    // One from a time that has not come yet, since the clock was set back, would be refused by clients.
    return age >= 0 && age < leafReuseMilliseconds ? leaf : undefined;
  }

  #issue(host: CanonicalHost): KeptLeaf {
    const issuedAt = this.#now();
    const certificate = issueLeaf(this.#authority, {
      subject: { commonName: commonName(host) },
      usage: "server",
      ...(isIP(host) ? { ipAddresses: [host] } : { dnsNames: [host] }),
      validity: { now: new Date(issuedAt), days: leafDays },
      keys: this.#leafKeys,
    });
    const context = createSecureContext({ cert: certificate.pem, key: this.#leafKeyPem, minVersion: "TLSv1.2" });
    return { context, issuedAt };
  }
}

/** Clients read the alternative names; the common name is for people, and bounded. */
function commonName(text: string): string {
  return text.slice(0, commonNameLimit);
}
