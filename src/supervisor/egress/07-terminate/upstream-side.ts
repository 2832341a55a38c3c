/**
 * The upstream's half of a terminated connection: TLS to a pinned address, with the certificate verified for the name
 * that the client asked for. There is no way to skip it.
 */
import { isIP } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import type { ReasonCode } from "../../../policy/reason-codes.ts";
import { dial } from "../10-forward/dial.ts";
import { type Dialable, type HttpVersion, isRefusal, type Refusal } from "../connection.ts";
import type { UpstreamTrust } from "./trust-bundle.ts";

/** From the TCP connection to the verified certificate. */
const handshakeTimeoutMs = 15_000;

/** What OpenSSL or Node says of a certificate → our code. X509_V_ERR_* in openssl-verify(1), and Node's own. */
const verificationCodes: ReadonlyMap<string, ReasonCode> = new Map(
  (
    [
      ["expired", ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "ERROR_IN_CERT_NOT_BEFORE_FIELD"]],
      ["expired", ["ERROR_IN_CERT_NOT_AFTER_FIELD"]],
      ["wrong_host", ["ERR_TLS_CERT_ALTNAME_INVALID", "ERR_TLS_CERT_ALTNAME_FORMAT", "HOSTNAME_MISMATCH"]],
      ["wrong_host", ["IP_ADDRESS_MISMATCH"]],
      ["unknown_issuer", ["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "CERT_UNTRUSTED"]],
      ["unknown_issuer", ["UNABLE_TO_GET_ISSUER_CERT", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"]],
      ["unknown_issuer", ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "CERT_SIGNATURE_FAILURE"]],
      ["revoked", ["CERT_REVOKED", "CERT_REJECTED", "INVALID_CA", "INVALID_PURPOSE", "PATH_LENGTH_EXCEEDED"]],
      ["revoked", ["PERMITTED_VIOLATION", "EXCLUDED_VIOLATION", "CERT_CHAIN_TOO_LONG"]],
    ] as const
  ).flatMap(([kind, codes]) => codes.map((code) => [code, `terminate.upstream_untrusted.${kind}`] as const)),
);

/** Node has no codes for these results of OpenSSL's verification, only this one and OpenSSL's words. */
const wordsAlone = "UNSPECIFIED";
const wordings: readonly (readonly [RegExp, ReasonCode])[] = [
  [/(?:certificate key|digest algorithm) too weak/, "terminate.upstream_untrusted.weak"],
  [/subtree violation|name constraint/, "terminate.upstream_untrusted.revoked"],
];

/** Handshake failures that come of too weak keys, versions or ciphers, as OpenSSL spells them in error codes. */
const weakness =
  /KEY_TOO_SMALL|MD_TOO_WEAK|UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|NO_CIPHER|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY|LEGACY_RENEGOTIATION|WRONG_SIGNATURE_TYPE|BAD_ECPOINT/;

export interface UpstreamOptions {
  readonly trust: UpstreamTrust;
  readonly signal: AbortSignal;
  /** To answer a connect. */
  readonly timeoutMs?: number;
  /** Offered to the upstream, HTTP/1.1 alone if none are given. One that chooses none is taken to speak HTTP/1.1. */
  readonly versions?: readonly HttpVersion[];
  /** Of an earlier connection to the same host and port, which was verified: spares both sides the certificates. */
  readonly session?: Buffer;
}

/**
 * Dials, shakes hands and verifies.
 * Refuses forward.unreachable | forward.timeout | forward.reset | terminate.upstream_untrusted.*.
 */
export async function connectUpstream(connection: Dialable, options: UpstreamOptions): Promise<TLSSocket | Refusal> {
  const dialled = await dial(connection, options);
  if (isRefusal(dialled)) return dialled;
  const { host } = connection.destination;
  const secured = connect({
    socket: dialled,
    host,
    // RFC 6066 section 3: an address is no server name.
    ...(isIP(host) === 0 && { servername: host }),
    secureContext: options.trust.contextFor(host),
    ALPNProtocols: [...(options.versions ?? ["http/1.1"])],
    rejectUnauthorized: true,
    ...(options.session && { session: options.session }),
    checkServerIdentity: checkAlternativeNames,
  });
  const failure = await handshake(secured, options.signal);
  if (failure === undefined) return secured;
  secured.destroy();
  return { ...classify(failure, `${host}:${connection.destination.port}`), rule: connection.rule };
}

/** Node would fall back to the common name where there are no alternative names; RFC 9110 section 4.3.4 says not to. */
function checkAlternativeNames(host: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subjectaltname) return checkServerIdentity(host, certificate);
  return Object.assign(new Error("the certificate names no host"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
}

type Failure = { readonly code: string; readonly message: string } | "timeout" | "aborted" | "closed";

function handshake(secured: TLSSocket, signal: AbortSignal): Promise<Failure | undefined> {
  const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
  const timer = setTimeout(() => resolve("timeout"), handshakeTimeoutMs);
  const onAbort = (): void => resolve("aborted");
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  secured.once("secureConnect", () => resolve(undefined));
  secured.once("close", () => resolve("closed"));
  // Stays, so that a later error does not end the process; whoever owns the socket then learns of it by `close`.
  secured.on("error", (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? "", message: error.message }));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  });
}

function classify(failure: Failure, upstream: string): Refusal {
  if (failure === "timeout")
    return { refused: "forward.timeout", detail: `${upstream} did not finish the TLS handshake` };
  if (failure === "aborted" || failure === "closed") {
    return { refused: "forward.reset", detail: `${upstream} closed the connection during the TLS handshake` };
  }
  const { code, message } = failure;
  const known = code === wordsAlone ? wordingCode(message) : verificationCodes.get(code);
  if (known !== undefined) {
    const why = code === wordsAlone ? message : code;
    return { refused: known, detail: `the certificate of ${upstream} was refused (${why})` };
  }
  if (weakness.test(code)) {
    return {
      refused: "terminate.upstream_untrusted.weak",
      detail: `${upstream} offers no TLS that is strong enough (${code})`,
    };
  }
  // Neither the verification nor a known weakness: the peer speaks no TLS, or broke off.
  return { refused: "forward.reset", detail: `the TLS handshake with ${upstream} failed (${code})` };
}

function wordingCode(message: string): ReasonCode {
  return wordings.find(([wording]) => wording.test(message))?.[1] ?? "terminate.upstream_untrusted";
}
