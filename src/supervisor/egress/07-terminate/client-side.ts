/** The client's half of a terminated connection: TLS with a leaf certificate of the sandbox's own authority. */
import type { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { ByteReader } from "../../../net/byte-reader.ts";
import type { HttpVersion } from "../connection.ts";

/** From the ClientHello, which is here, to the client's Finished. */
const handshakeTimeoutMs = 10_000;

/**
 * A client that does not trust us may go only after the handshake: Node checks the certificate itself, when OpenSSL is
 * done, and then closes without a word. One that stays silent for longer has merely opened a connection in reserve.
 */
const silentRejectionMs = 1_000;

/** The alerts by which a client turns a certificate down; RFC 8446 section 6.2, as OpenSSL spells them. */
const certificateAlert = /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|ACCESS_DENIED)/;

export type ClientSide =
  | { readonly kind: "decrypted"; readonly stream: Duplex }
  | { readonly kind: "rejected"; readonly why: string };

/**
 * Takes the server's part in a TLS handshake over `stream`, whose first unread byte begins the ClientHello. The stream
 * it gives owns the other: destroying one destroys both. `version` is the only one that is offered, HTTP/1.1 if none is
 * given.
 */
export async function acceptClient(
  stream: Duplex,
  secureContext: SecureContext,
  options: { readonly signal: AbortSignal; readonly version?: HttpVersion },
): Promise<ClientSide> {
  const secured = new TLSSocket(stream as ConstructorParameters<typeof TLSSocket>[0], {
    isServer: true,
    secureContext,
    ALPNProtocols: [options.version ?? "http/1.1"],
  });
  const failure = await handshake(secured, options.signal);
  if (failure !== undefined) {
    secured.destroy();
    return { kind: "rejected", why: failure };
  }
  const reader = new ByteReader(secured);
  const first = await reader.fill(silentRejectionMs);
  const intact = reader.release();
  if (first === "data" ? !intact : first !== "timeout") {
    secured.destroy();
    return { kind: "rejected", why: "it closed the connection right after the handshake" };
  }
  return { kind: "decrypted", stream: secured };
}

/** Waits for the end of the handshake; gives what went wrong. */
function handshake(secured: TLSSocket, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const timer = setTimeout(() => resolve("it did not finish the handshake in time"), handshakeTimeoutMs);
  const onAbort = (): void => resolve("the sandbox is stopping");
  const onClose = (): void => resolve("it closed the connection during the handshake");
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  secured.once("secure", () => resolve(undefined));
  secured.once("close", onClose);
  secured.once("end", onClose);
  secured.on("error", (error) => resolve(explain(error)));
  // A TLS error after the handshake (a record that is not one) is told by this event alone when the socket was not made
  // by a tls.Server; Node would leave the socket open, and the connection would hang.
  secured.on("_tlsError", (error: Error) => {
    resolve(explain(error));
    secured.destroy();
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    secured.off("close", onClose);
    secured.off("end", onClose);
  });
}

function explain(error: NodeJS.ErrnoException): string {
  const code = error.code ?? "";
  if (certificateAlert.test(code)) return `it does not trust the certificate (${code})`;
  if (code === "ERR_SSL_NO_APPLICATION_PROTOCOL") return "it does not offer the version of HTTP that is spoken here";
  return `the handshake failed (${code === "" ? "no code" : code})`;
}
