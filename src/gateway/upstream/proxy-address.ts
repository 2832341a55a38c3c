/** An upstream proxy as environment variables and files write it: `http://user:password@proxy.corp.example:3128`. */
import { parseAuthority } from "../../net/authority.ts";
import type { ProxyAddress } from "../../supervisor/launch-spec.ts";

/** What curl takes where no port is given. */
const usualPort = 1080;

/** The address, or what is wrong with it: without a word of what it holds, which may be a password. */
export function parseProxyAddress(text: string): ProxyAddress | string {
  const [, scheme = "http", userinfo, authorityText = ""] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:(.*)@)?([^/?#@]*)\/?$/i.exec(text) ?? [];
  if (scheme.toLowerCase() !== "http") return "only HTTP proxies are known: http://HOST:PORT";
  const authority = parseAuthority(authorityText);
  if (!authority.ok) return `is no proxy such as http://HOST:PORT: ${authority.why}`;
  const address = { host: authority.host, port: authority.port ?? usualPort };
  if (userinfo === undefined) return address;
  const credentials = decoded(userinfo);
  if (credentials === undefined) return "holds a user or password that is not percent-encoded";
  return { ...address, authorization: `Basic ${Buffer.from(credentials, "utf8").toString("base64")}` };
}

/** RFC 7617: the user may hold no colon, as written a percent-encoded one would. */
function decoded(userinfo: string): string | undefined {
  const colon = userinfo.indexOf(":");
  const parts = colon === -1 ? [userinfo, ""] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
  try {
    const [user = "", password = ""] = parts.map(decodeURIComponent);
    return user.includes(":") || /[\0-\x1f\x7f]/.test(user + password) ? undefined : `${user}:${password}`;
  } catch {
    return undefined;
  }
}
