/**
 * Step 7: TLS ends here, on both sides.
 * Takes  Peeked, of which the bytes say TLS; the ClientHello is still on the stream.
 * Gives  Terminated: the client's bytes decrypted, and a verified TLS connection to the upstream.
 * Refuses terminate.name_mismatch | terminate.client_rejected | terminate.upstream_untrusted.* | forward.*.
 * Assumes the addresses were checked (05), and that the endpoint is inspected: nothing else is opened up.
 *
 * Both sides speak the same version of HTTP, since nothing is translated. A client that offers only HTTP/1.1 leaves no
 * choice, and both handshakes run at once. One that offers HTTP/2 is told what its upstream chose, so the upstream's comes
 * first; the client's takes 2 ms, which is what is lost. Remembering what an upstream spoke last time would save them, at
 * the price of a broken connection when it has changed its mind.
 *
 * Where the upstream turns out bad, the client's TLS stands all the same, and `answerOn` is where it can be told, in
 * words; a handshake that failed would tell it nothing.
 */
import { isIP } from "node:net";
import { canonicalHost } from "../../../net/canonical-host.ts";
import { isRefusal, type Peeked, type Refusal, type Terminated } from "../connection.ts";
import type { SandboxAuthority } from "./certificate-authority.ts";
import { acceptClient } from "./client-side.ts";
import { HeldClient } from "./held-client.ts";
import type { UpstreamTrust } from "./trust-bundle.ts";
import { connectUpstream } from "./upstream-side.ts";

export interface TerminateContext {
  readonly authority: SandboxAuthority;
  readonly trust: UpstreamTrust;
  readonly signal: AbortSignal;
}

/** Opens up a TLS connection, or refuses; what was opened for a refused one is closed, but for `answerOn`. */
export async function terminate(connection: Peeked, context: TerminateContext): Promise<Terminated | Refusal> {
  const mismatch = nameMismatch(connection);
  if (mismatch !== undefined) return answerInside(connection, mismatch, context);
  return offersHttp2(connection) ? terminateInTurn(connection, context) : terminateAtOnce(connection, context);
}

/** HTTP/1.1 on both sides. */
async function terminateAtOnce(connection: Peeked, context: TerminateContext): Promise<Terminated | Refusal> {
  const { authority, trust, signal } = context;
  // If the client goes, nobody waits for the upstream any more.
  const clientGone = new AbortController();
  const upstreamSignal = AbortSignal.any([signal, clientGone.signal]);
  const [client, upstream] = await Promise.all([
    acceptClient(connection.stream, authority.contextFor(connection.destination.host), { signal }).then((side) => {
      if (side.kind === "rejected") clientGone.abort();
      return side;
    }),
    connectUpstream(connection, { trust, signal: upstreamSignal }),
  ]);
  if (client.kind === "rejected") {
    if (!isRefusal(upstream)) upstream.destroy();
    return rejected(connection, client.why);
  }
  if (isRefusal(upstream)) return { ...upstream, answerOn: client.stream };
  return { ...connection, decrypted: client.stream, upstream, agreed: "http/1.1" };
}

/** The version of HTTP that the upstream chooses, on both sides. */
async function terminateInTurn(connection: Peeked, context: TerminateContext): Promise<Terminated | Refusal> {
  const { authority, trust, signal } = context;
  const { host } = connection.destination;
  // Made while the upstream is waited for.
  const secureContext = authority.contextFor(host);
  const held = new HeldClient(connection.stream);
  const upstreamSignal = AbortSignal.any([signal, held.gone]);
  const upstream = await connectUpstream(connection, { trust, signal: upstreamSignal, versions: ["h2", "http/1.1"] });
  if (!held.release()) {
    if (!isRefusal(upstream)) upstream.destroy();
    const detail = `the program left before ${host} had finished the TLS handshake`;
    return { refused: "forward.reset", detail, rule: connection.rule };
  }
  if (isRefusal(upstream)) return answerInside(connection, upstream, context);
  const agreed = upstream.alpnProtocol === "h2" ? "h2" : "http/1.1";
  if (!connection.alpn?.includes(agreed)) {
    upstream.destroy();
    const detail = `${host} speaks no HTTP/2, and the program nothing else`;
    return answerInside(connection, { refused: "forward.reset", detail, rule: connection.rule }, context);
  }
  const client = await acceptClient(connection.stream, secureContext, { signal, version: agreed });
  if (client.kind === "decrypted") return { ...connection, decrypted: client.stream, upstream, agreed };
  upstream.destroy();
  return rejected(connection, client.why);
}

function offersHttp2({ alpn }: Peeked): boolean {
  return alpn?.includes("h2") ?? false;
}

/**
 * The name in the ClientHello must be the one that was decided on. Otherwise a client could be allowed one host and reach
 * another that is served at the same address (domain fronting).
 */
export function nameMismatch(connection: Pick<Peeked, "destination" | "sni" | "rule">): Refusal | undefined {
  const { host } = connection.destination;
  const { sni } = connection;
  if (sni === undefined) {
    // An address has no name to give.
    return isIP(host) ? undefined : mismatch(connection, `no server name was given for ${host}`);
  }
  const canonical = canonicalHost(sni);
  if (canonical.ok && canonical.host === host) return undefined;
  return mismatch(
    connection,
    `the connection is to ${host}, but TLS asks for ${canonical.ok ? canonical.host : "another name"}`,
  );
}

function mismatch(connection: Pick<Peeked, "rule">, detail: string): Refusal {
  return { refused: "terminate.name_mismatch", detail, rule: connection.rule };
}

/** Lets the handshake succeed, under the name that the client expects, so that it can read why it is refused. */
async function answerInside(connection: Peeked, refusal: Refusal, context: TerminateContext): Promise<Refusal> {
  const expected = connection.sni === undefined ? undefined : canonicalHost(connection.sni);
  const name = expected?.ok ? expected.host : connection.destination.host;
  const secureContext = context.authority.contextFor(name);
  // Every client that can reads it in HTTP/1.1.
  const version = offersHttp2(connection) && !connection.alpn?.includes("http/1.1") ? "h2" : "http/1.1";
  const client = await acceptClient(connection.stream, secureContext, { signal: context.signal, version });
  return client.kind === "decrypted" ? { ...refusal, answerOn: client.stream, answerIn: version } : refusal;
}

function rejected(connection: Peeked, why: string): Refusal {
  const { host, port } = connection.destination;
  return {
    refused: "terminate.client_rejected",
    detail: `${host}:${port}: the program gave up: ${why}`,
    rule: connection.rule,
  };
}
