/**
 * The record that grows along the decision path: one type per step, readonly, each made from the one before. A step
 * takes the record of the step before it and gives its own, or a Refusal.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { IpAddress } from "../../net/address-class.ts";
import type { ReasonCode } from "../../policy/reason-codes.ts";
import type { Destination, MatchedEndpoint, ObservedDenial } from "../../policy/verdict.ts";
import type { ProxyAddress } from "../launch-spec.ts";

/** How a connection came in. DNS only hands out names; what then connects comes in transparently. */
export type Listener = "proxy" | "transparent" | "ssh";

/**
 * What the client is waiting for, which decides how it can be told of a refusal, and whether anything is said before its
 * bytes flow: a CONNECT waits for its answer; a request in absolute-form waits for a response, and is still unread on
 * the stream; a captured connection waits for nothing we know.
 */
export type Awaiting = "connect-answer" | "response" | "nothing";

/** 01: a connection, and where it wants to go. */
export interface Intercepted {
  /** Unique in this sandbox; also the OCSF connection uid. */
  readonly id: string;
  readonly listener: Listener;
  readonly awaiting: Awaiting;
  /** The client's byte stream, positioned at the first byte for the upstream. */
  readonly stream: Duplex;
  /** The accepted socket's own addresses, inside the sandbox: what /proc/net and sock_diag know it by. */
  readonly client: SocketPair;
  readonly destination: Destination;
  /** The destination as it was spelled, printable ASCII, for people only. */
  readonly asked: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The client's end of a TCP connection inside the sandbox. `local` is the client's own address and port. */
export interface SocketPair {
  readonly family: 4 | 6;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
}

/** A process of the sandbox that holds the connection's socket. */
export interface Holder {
  /** Process id as the sandbox sees it. */
  readonly pid: number;
  /** Resolved path of the executable. */
  readonly path: string;
  /** SHA-256 of the executable, hex; absent where there is none (02-identify/ssh-forwarder.ts). */
  readonly sha256?: string;
  /** Executables of the ancestors, nearest first. */
  readonly ancestors: readonly { readonly pid: number; readonly path: string }[];
  /** For an interpreter started by `#!`: the script. Said by the process itself, so for the log only. */
  readonly script?: string;
  /** For the log only; never used to decide. */
  readonly commandLine: readonly string[];
}

/** 02: every holder of the socket is known; never empty. */
export interface Identified extends Intercepted {
  readonly holders: readonly Holder[];
}

/** 04: the policy lets every holder connect. */
export interface Decided extends Identified {
  /** The rule that allows it, or a word for that none does and it is only observed. */
  readonly rule: string;
  readonly endpoints: readonly MatchedEndpoint[];
  readonly inspected: boolean;
  readonly revision: number;
  /** Why the policy's rules would have denied it; only in a sandbox where nothing is denied (`--observe`). */
  readonly observed?: ObservedDenial | undefined;
}

/** 05: the name is resolved, every address checked, and these are the ones that may be dialled. */
export interface Guarded extends Decided {
  /** In the order to try. Empty only where a proxy is trusted to look the name up. */
  readonly addresses: readonly IpAddress[];
  /** The proxy by which they are reached. */
  readonly via?: ProxyAddress;
}

/** What it takes to dial: checked addresses, and whose they are. */
export type Dialable = Pick<Guarded, "destination" | "addresses" | "rule" | "via">;

/** 06: what the first bytes say. */
export type WireProtocol = "tls" | "http" | "http2" | "other";

export interface FirstBytes {
  readonly protocol: WireProtocol;
  /** From the ClientHello, when `protocol` is `tls`. */
  readonly sni?: string;
  readonly alpn?: readonly string[];
}

export interface Peeked extends Guarded, FirstBytes {}

/** Versions of HTTP, by their names in ALPN (RFC 7301). */
export type HttpVersion = "h2" | "http/1.1";

/** 07: the client's TLS ends here; the upstream's begins here, on a verified certificate. */
export interface Terminated extends Peeked {
  /** The client's bytes, without their TLS. */
  readonly decrypted: Duplex;
  /** Connected to one of `addresses`. */
  readonly upstream: Socket;
  /** What both sides speak: HTTP/2 if both want to. */
  readonly agreed: HttpVersion;
}

/** A step's no: a value, not an exception. `refuse.ts` is the only place that turns it into bytes, `refuse-stream.ts` for HTTP/2. */
export interface Refusal {
  readonly refused: ReasonCode;
  /** One sentence with what was asked, printable ASCII, no secrets: `POST /user/repos not permitted by policy`. */
  readonly detail: string;
  readonly rule?: string;
  /** The address that was refused, where the name as such was allowed. */
  readonly address?: string;
  /** Where to answer, if not on the connection's own stream: the decrypted stream, once the client's TLS stands. */
  readonly answerOn?: Duplex;
  /** What `answerOn` speaks, if not HTTP/1.1. */
  readonly answerIn?: HttpVersion;
}

export function isRefusal(value: object): value is Refusal {
  return "refused" in value;
}
