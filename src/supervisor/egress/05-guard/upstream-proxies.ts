/** Which destinations are reached by the proxy that the gateway's machine has to take, and who looks their names up. */
import { classifyAddress, type IpAddress, parseIpAddress } from "../../../net/address-class.ts";
import { compileNoProxy, type NoProxyTest } from "../../../net/no-proxy.ts";
import type { Destination } from "../../../policy/verdict.ts";
import type { ProxyAddress, UpstreamSettings } from "../../launch-spec.ts";
import type { Decided } from "../connection.ts";

/** By what port plain HTTP is told, for which there is a proxy of its own. */
const plainPort = 80;

/** Names that mean something on one machine or in one network only, where the proxy's are not the gateway's. */
const localName = /^[^.]+$|\.(?:localhost|local|internal|lan|intranet|home\.arpa|invalid)$/;

export class UpstreamProxies {
  readonly #settings: UpstreamSettings;
  readonly #exempt: readonly NoProxyTest[];

  constructor(settings: UpstreamSettings) {
    this.#settings = settings;
    this.#exempt = settings.noProxy.flatMap((entry) => compileNoProxy(entry) ?? []);
  }

  /** The proxy to take; undefined to go there directly. */
  choose({ host, port }: Destination, addresses: readonly IpAddress[]): ProxyAddress | undefined {
    // Through a proxy on another machine they would be that machine's.
    if (addresses.some((address) => classifyAddress(address) === "loopback")) return undefined;
    const { http, https } = this.#settings.proxies;
    const proxy = port === plainPort ? http : https;
    return proxy === undefined || this.#exempt.some((test) => test({ host, port, addresses })) ? undefined : proxy;
  }

  /**
   * The proxy that is trusted with looking the name up, because the settings say so. Nobody then checks where it leads:
   * therefore only a public name that the policy spells out, and no addresses for.
   */
  chooseByName(connection: Decided): ProxyAddress | undefined {
    const { destination } = connection;
    const { host } = destination;
    if (this.#settings.resolve !== "proxy" || parseIpAddress(host) !== undefined || localName.test(host))
      return undefined;
    if (!isSpeltOut(connection)) return undefined;
    return this.choose(destination, []);
  }
}

/** Whether the policy names this host and nothing wider, so that it may be reached although nobody checks its addresses. */
export function isSpeltOut({ destination, endpoints }: Pick<Decided, "destination" | "endpoints">): boolean {
  const named = endpoints.some(({ endpoint }) => endpoint.host === destination.host && !endpoint.advisorProposed);
  return named && endpoints.every(({ endpoint }) => endpoint.allowedIps.length === 0);
}
