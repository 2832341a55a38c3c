/** Which authorities are trusted: by the sandbox's programs, and by the supervisor when it verifies an upstream. */
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext } from "node:tls";
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import { compileHost } from "../../../policy/match/host.ts";
import type { ClientCertificate } from "../../launch-spec.ts";

/**
 * OpenSSL's level 2: RSA and DH from 2048 bits, elliptic curves from 224, no SHA-1 in signatures. Written out, since a
 * build or a configuration file may have lowered it.
 */
const strictCiphers = `${DEFAULT_CIPHERS}:@SECLEVEL=2`;

/** What the sandbox's programs are given in place of the system's bundle: the same, and the sandbox's own authority. */
export function trustBundle(systemPem: string, caPem: string): string {
  const system = systemPem === "" || systemPem.endsWith("\n") ? systemPem : `${systemPem}\n`;
  return `${system}${caPem}`;
}

/**
 * The authorities for upstreams, and what we show to those that ask who we are. Read at the first use, since it costs some
 * 10 ms that most sandboxes never need.
 */
export class UpstreamTrust {
  readonly #read: () => string;
  readonly #clients: readonly (ClientCertificate & { readonly matches: (host: CanonicalHost) => boolean })[];
  readonly #contexts = new Map<ClientCertificate | undefined, SecureContext>();

  /** @param read gives the authorities in PEM: the system's, and what the user adds */
  constructor(read: () => string, clients: readonly ClientCertificate[] = []) {
    this.#read = read;
    this.#clients = clients.map((client) => ({ ...client, matches: compileHost(client.host) }));
  }

  /** For a connection to this host. */
  contextFor(host: CanonicalHost): SecureContext {
    const client = this.#clients.find(({ matches }) => matches(host));
    const known = this.#contexts.get(client);
    if (known !== undefined) return known;
    const shown = client && { cert: client.certificate, key: client.key };
    const strict = { minVersion: "TLSv1.2", ciphers: strictCiphers } as const;
    const context = createSecureContext({ ca: this.#read(), ...strict, ...shown });
    this.#contexts.set(client, context);
    return context;
  }
}
