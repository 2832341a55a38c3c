/** Which hosts a client means when it means the sandbox itself. */
import { isIPv4 } from "node:net";

/**
 * The loopback address to dial for `host`, if it is the sandbox: an address of loopback, `localhost`, or the sandbox's own
 * name. What is anything else is decided by the policy.
 */
export function loopbackAddress(host: string, sandboxName: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "::1" || name === "ip6-localhost") return "::1";
  if (name === "localhost" || name.endsWith(".localhost") || name === sandboxName) return "127.0.0.1";
  return isIPv4(name) && name.startsWith("127.") ? name : undefined;
}
