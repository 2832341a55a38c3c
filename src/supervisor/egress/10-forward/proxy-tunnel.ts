/**
 * Opens a tunnel through an HTTP proxy (RFC 9110 section 9.3.6), on a connection to it that has just been made.
 * Takes  the authority to ask for: an address that was checked, or a name that the proxy is trusted to look up.
 * Gives  undefined once the socket's bytes are the destination's, or why they are not.
 */
import type { Socket } from "node:net";
import { ByteReader } from "../../../net/byte-reader.ts";
import { parseResponseHead } from "../../../net/http1-head.ts";
import { readHead } from "../../../net/http1-read-head.ts";
import type { ProxyAddress } from "../../launch-spec.ts";

export async function askForTunnel(
  socket: Socket,
  authority: string,
  options: { readonly proxy: ProxyAddress; readonly timeoutMs: number },
): Promise<"timeout" | { readonly why: string } | undefined> {
  const { proxy, timeoutMs } = options;
  const credentials = proxy.authorization === undefined ? "" : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`, "latin1");
  const reader = new ByteReader(socket);
  const read = await readHead(reader, parseResponseHead, { firstByteMs: timeoutMs, wholeHeadMs: timeoutMs });
  if (read.kind === "timeout") return "timeout";
  if (read.kind !== "head") return { why: "which gave no answer that can be read" };
  const { status } = read.head;
  if (status === 407) return { why: "which wants other credentials (407)" };
  if (status < 200 || status >= 300) return { why: `which answered ${status}` };
  reader.take(read.length);
  return reader.release() ? undefined : { why: "which closed the connection" };
}
