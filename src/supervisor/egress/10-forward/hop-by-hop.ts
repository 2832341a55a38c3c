/** Which fields end here (RFC 9110 section 7.6.1) and which go on. */
import { type Field, fieldTokens } from "../../../net/http1-fields.ts";

/** Fields about this connection, not about the message. Framing, Host and Connection are written anew by the serialisers. */
const hopByHop = new Set([
  "connection",
  // Left by `Upgrade: h2c`, which is never passed on.
  "http2-settings",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * The fields that go on to the next hop, in their order. Everything named by Connection stays here, and everything that
 * begins with `Proxy-`: such fields are meant for a proxy, and Proxy-Authorization is a credential for one.
 */
export function endToEndFields(fields: readonly Field[]): readonly Field[] {
  const nominated = fieldTokens(fields, "connection");
  return fields.filter(
    ({ lower }) =>
      !hopByHop.has(lower) && !lower.startsWith("proxy-") && (!nominated.includes(lower) || isFraming(lower)),
  );
}

/** `Connection: content-length` must not unframe a message, nor `Connection: host` unname it. */
function isFraming(lower: string): boolean {
  return lower === "content-length" || lower === "host";
}

/**
 * The same for HTTP/2, where fields about a connection are not legal in the first place (RFC 9113 section 8.2.2) and
 * `TE: trailers` goes on, without which gRPC servers do not answer. The Host's place is `:authority`.
 */
export function endToEndHttp2Fields(fields: readonly Field[]): readonly Field[] {
  return fields.filter(({ lower }) => lower !== "host" && lower !== "http2-settings" && !lower.startsWith("proxy-"));
}
