/**
 * Connections to backends, kept for the next call: a new one costs a round trip, or three with TLS, before a model has
 * heard a word. Backends are the operator's word, so any address is dialled, also this machine's; certificates are
 * verified as for every other upstream (07).
 */
import type { Socket } from "node:net";
import { ByteReader } from "../../../net/byte-reader.ts";
import { canonicalHost } from "../../../net/canonical-host.ts";
import { watchEnd } from "../../../net/watch-end.ts";
import { type Resolver, resolveHost } from "../05-guard/resolve.ts";
import type { UpstreamProxies } from "../05-guard/upstream-proxies.ts";
import type { UpstreamTrust } from "../07-terminate/trust-bundle.ts";
import { connectUpstream } from "../07-terminate/upstream-side.ts";
import { dial } from "../10-forward/dial.ts";
import { type Dialable, isRefusal, type Refusal } from "../connection.ts";
import { keptConnectionIdleMs, keptConnections, keptSessions } from "./limits.ts";

export interface BackendConnection {
  /** `https://host:port`. */
  readonly origin: string;
  readonly socket: Socket;
  readonly reader: ByteReader;
  /** Whether it has carried a call before: its backend may have closed it in the very moment that it was taken. */
  readonly isReused: boolean;
}

export interface PoolContext {
  readonly resolver: Resolver;
  readonly proxies: UpstreamProxies;
  readonly trust: UpstreamTrust;
  /** Ends all connections. */
  readonly signal: AbortSignal;
}

interface Kept {
  readonly connection: BackendConnection;
  readonly forget: () => void;
}

export class BackendPool {
  readonly #context: PoolContext;
  readonly #kept = new Map<string, Kept[]>();
  /** The newest TLS session of each origin. */
  readonly #sessions = new Map<string, Buffer>();

  constructor(context: PoolContext) {
    this.#context = context;
  }

  /** A kept connection to the URL's origin, or a new one. `fresh` wants a new one. */
  async take(
    url: URL,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly fresh: boolean },
  ): Promise<BackendConnection | Refusal> {
    const { origin } = url;
    const kept = options.fresh ? undefined : this.#takeKept(origin);
    if (kept) return kept;
    const target = await this.#target(url);
    if (isRefusal(target)) return target;
    const { timeoutMs } = options;
    const signal = AbortSignal.any([options.signal, this.#context.signal]);
    const socket =
      url.protocol === "https:"
        ? await this.#secured(target, { origin, signal, timeoutMs })
        : await dial(target, { signal, timeoutMs });
    return isRefusal(socket) ? socket : { origin, socket, reader: new ByteReader(socket), isReused: false };
  }

  /** The one used last, which is the likeliest to be alive still. */
  #takeKept(origin: string): BackendConnection | undefined {
    for (let kept = this.#kept.get(origin)?.at(-1); kept !== undefined; kept = this.#kept.get(origin)?.at(-1)) {
      kept.forget();
      const { connection } = kept;
      // What a backend says unasked (408 at the end of its patience) would be taken for the answer.
      if (!connection.reader.hasArrived) return connection;
      connection.socket.destroy();
    }
    return undefined;
  }

  /** Takes back a connection on which an answer has ended, and the next may begin. */
  giveBack({ origin, socket, reader }: BackendConnection): void {
    const others = this.#kept.get(origin) ?? [];
    // Bytes that nobody asked for would be taken for the next answer (response queue poisoning).
    if (socket.destroyed || reader.hasArrived || others.length >= keptConnections || this.#context.signal.aborted) {
      socket.destroy();
      return;
    }
    const close = (): void => {
      kept.forget();
      socket.destroy();
    };
    const stopWatching = watchEnd(socket, close);
    const kept: Kept = {
      connection: { origin, socket, reader, isReused: true },
      forget: () => {
        stopWatching();
        socket.off("timeout", close).setTimeout(0);
        const index = others.indexOf(kept);
        if (index !== -1) others.splice(index, 1);
        if (others.length === 0) this.#kept.delete(origin);
      },
    };
    socket.setTimeout(keptConnectionIdleMs, close);
    others.push(kept);
    this.#kept.set(origin, others);
  }

  /** Closes what is kept. */
  close(): void {
    for (const { connection, forget } of [...this.#kept.values()].flat()) {
      forget();
      connection.socket.destroy();
    }
  }

  async #secured(
    target: Dialable,
    { origin, ...options }: { readonly origin: string; readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<Socket | Refusal> {
    const session = this.#sessions.get(origin);
    const socket = await connectUpstream(target, {
      ...options,
      trust: this.#context.trust,
      ...(session && { session }),
    });
    // TLS 1.3 gives sessions once the connection stands, that is, after the certificate was verified.
    if (!isRefusal(socket)) socket.on("session", (newer: Buffer) => this.#remember(origin, newer));
    return socket;
  }

  #remember(origin: string, session: Buffer): void {
    this.#sessions.delete(origin);
    this.#sessions.set(origin, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > keptSessions && oldest !== undefined) this.#sessions.delete(oldest);
  }

  async #target(url: URL): Promise<Dialable | Refusal> {
    const named = canonicalHost(url.hostname);
    if (!named.ok) return { refused: "forward.unreachable", detail: `${url.hostname} is no host` };
    const addresses = await resolveHost(named.host, this.#context.resolver);
    if (addresses === undefined) return { refused: "guard.unresolved", detail: `${named.host} does not resolve` };
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    const destination = { host: named.host, port };
    const via = this.#context.proxies.choose(destination, addresses);
    return { destination, addresses, rule: "inference", ...(via !== undefined && { via }) };
  }
}
