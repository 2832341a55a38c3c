/** Reading another process's memory; process_vm_readv(2). For what a system call's argument points to. */
import koffi from "koffi";
import { libc } from "./libc.ts";

const processVmReadv = libc.func(
  "long process_vm_readv(int pid, void *local, unsigned long locals, void *remote, unsigned long remotes, unsigned long flags)",
);

/** PATH_MAX, with the byte that ends it. */
const longestPath = 4096;
const pageSize = 4096n;

/** Reads into buffers of its own, so that one is made for many reads. */
export class ProcessMemory {
  readonly #bytes = Buffer.alloc(longestPath);
  /** struct iovec: address and length. */
  readonly #here = iovec(BigInt(koffi.address(this.#bytes)));
  readonly #there = iovec(0n);

  /** The path at an address, as bytes up to the zero; undefined if it can't be read, or is longer than a path may be. */
  path(pid: number, address: bigint): string | undefined {
    // First what is left of the page: the next one may not be there.
    const near = Number(pageSize - (address % pageSize));
    for (const length of [Math.min(near, longestPath), longestPath]) {
      const read = this.#read(pid, address, length);
      const end = this.#bytes.subarray(0, Math.max(read, 0)).indexOf(0);
      if (end !== -1) return this.#bytes.toString("utf8", 0, end);
    }
    return undefined;
  }

  /** A 64-bit number. */
  number(pid: number, address: bigint): bigint | undefined {
    return this.#read(pid, address, 8) === 8 ? this.#bytes.readBigUInt64LE(0) : undefined;
  }

  #read(pid: number, address: bigint, length: number): number {
    this.#here.writeBigUInt64LE(BigInt(length), 8);
    this.#there.writeBigUInt64LE(address, 0);
    this.#there.writeBigUInt64LE(BigInt(length), 8);
    return Number(processVmReadv(pid, this.#here, 1, this.#there, 1, 0));
  }
}

function iovec(address: bigint): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(address, 0);
  return bytes;
}
