/**
 * Addresses that stand for names inside one sandbox. Policy DNS hands them out without asking anyone; a connection to one
 * is a connection to the name. The blocks are those for benchmarks (RFC 2544, RFC 5180): nothing real lives there.
 */
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import { ipv4Bytes, ipv6Bytes, startsWith } from "../../../net/ip-bytes.ts";

/** 198.18.0.0/15: the last 17 bits count. */
const ipv4Base = [198, 18] as const;
/** 2001:2::/48: the same number in the last 32 bits, zeros between. */
const ipv6Prefix: readonly number[] = [0x20, 0x01, 0x00, 0x02, 0, 0, 0, 0, 0, 0, 0, 0];

/**
 * Names that get an address. Beyond it new names are refused: giving an address to a second name would lead a program,
 * which may keep addresses for as long as it likes, to a host it never asked for. Half of what the IPv4 block holds; an
 * entry takes some 200 bytes, so that a sandbox that asks for as many names as it can costs the supervisor 13 MB.
 */
export const syntheticNamesLimit = 65_536;

export interface SyntheticPair {
  /** Network order. */
  readonly ipv4: Uint8Array;
  readonly ipv6: Uint8Array;
}

/** Lasts for the life of the sandbox, during which a name keeps its address and an address its name. */
export class SyntheticAddresses {
  /** A name's address is its place in this list plus one; the block's first address stays free. */
  readonly #names: CanonicalHost[] = [];
  readonly #numbers = new Map<CanonicalHost, number>();

  /** The addresses of a name, its own from the first time on; undefined if there is no room for a new name. */
  addressesFor(name: CanonicalHost): SyntheticPair | undefined {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      if (this.#names.length >= syntheticNamesLimit) return undefined;
      number = this.#names.push(name);
      this.#numbers.set(name, number);
    }
    return { ipv4: ipv4Of(number), ipv6: ipv6Of(number) };
  }

  /** The name that an address (network order) stands for; undefined if it stands for none. */
  nameOf(address: Uint8Array): CanonicalHost | undefined {
    const number = numberOf(address);
    return number === undefined ? undefined : this.#names[number - 1];
  }
}

function ipv4Of(number: number): Uint8Array {
  return Uint8Array.of(ipv4Base[0], ipv4Base[1] + (number >> 16), (number >> 8) & 0xff, number & 0xff);
}

function ipv6Of(number: number): Uint8Array {
  const address = new Uint8Array(ipv6Bytes);
  address.set(ipv6Prefix);
  new DataView(address.buffer).setUint32(ipv6Prefix.length, number);
  return address;
}

/** The number in an address of one of the blocks. */
function numberOf(address: Uint8Array): number | undefined {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  if (address.length === ipv4Bytes) {
    const isOurs = address[0] === ipv4Base[0] && ((address[1] ?? 0) & 0xfe) === ipv4Base[1];
    return isOurs ? view.getUint32(0) & 0x1ffff : undefined;
  }
  return startsWith(address, ipv6Prefix) ? view.getUint32(ipv6Prefix.length) : undefined;
}
