/** Addresses that need no TLS, because what is sent to them never leaves this machine. */

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Whether it is `http://` to this very machine. */
export function isPlainLoopback({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && LOOPBACK_HOSTS.has(hostname);
}

/** Whether nobody on the way can read or change what is sent there: `https://`, or this very machine. False for no URL. */
export function isPrivateUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "https:" || isPlainLoopback(url));
}
