/** A forwarded port as it is typed: `[BIND:][LOCAL:]REMOTE`. */
import { isIP } from "node:net";
import type { Meaning, ValueParser } from "../flags/flag.ts";

export interface PortSpec {
  /** The address on this machine. */
  readonly bind: string;
  /** 0: any that is free. */
  readonly local: number;
  /** On the sandbox's loopback. */
  readonly remote: number;
}

const LAST_PORT = 65_535;
/** Unless somebody else is named, whoever is on this machine may connect, and nobody else. */
const DEFAULT_BIND = "127.0.0.1";

export const portSpec: ValueParser<PortSpec> = (typed) => {
  const [whole, address = DEFAULT_BIND, local, remote = ""] =
    /^(?:(\[[^\]\s]+\]|[^:\s]*[^:\s\d][^:\s]*):)?(?:(\d{1,5}):)?(\d{1,5})$/.exec(typed) ?? [];
  if (whole === undefined) return not(`must be PORT, LOCAL:PORT or ADDRESS:LOCAL:PORT, not "${typed}"`);
  const bind = address === "localhost" ? DEFAULT_BIND : address.replace(/^\[|\]$/g, "");
  if (isIP(bind) === 0) return not(`"${bind}" is not an address of this machine, such as 127.0.0.1`);
  const spec = { bind, local: Number(local ?? remote), remote: Number(remote) };
  if (spec.remote < 1 || spec.remote > LAST_PORT) return not(`${remote} is not a port: they go from 1 to ${LAST_PORT}`);
  if (spec.local > LAST_PORT) return not(`${local} is not a port: they go up to ${LAST_PORT}`);
  return { ok: true, value: spec };
};

/** Whether a word can only be a port; any other is a sandbox's name. */
export function looksLikePort(word: string): boolean {
  return /^(?:.*:)?\d+$/.test(word);
}

/** Whether only this machine's programs can reach it. */
export function isLoopback({ bind }: PortSpec): boolean {
  return bind === "::1" || bind.startsWith("127.");
}

export function localAddress({ bind, local }: PortSpec): string {
  return `${isIP(bind) === 6 ? `[${bind}]` : bind}:${local}`;
}

function not(problem: string): Meaning<never> {
  return { ok: false, problem };
}
