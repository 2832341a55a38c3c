/**
 * The language between the supervisor and init, over one Unix stream socket: frames of
 * `u32 length | u8 type | u32 channel | payload` (little endian; length counts what follows it). A channel is one started
 * program, or one socket that init holds for the supervisor. The only exception is init's very first byte, which carries the listeners (SCM_RIGHTS).
 *
 * Init is in an untrusted place. What the supervisor accepts from it, and why each is safe:
 * - ready: shown to people as "measured from inside"; grants nothing.
 * - started, exited, failed: concern only the channel that the supervisor itself opened; unknown channels are ignored.
 * - stdout, stderr: bytes for the user who asked for the program, bounded by the credit given.
 * - output end: of a connection, whose other direction goes on; output after it ends the link.
 * - credit: lets the supervisor send input; a lie harms only the liar's own input.
 * - accepted: offers a connection on a listener that the supervisor asked for; it takes as many as it wants to.
 */

import type { LandlockRule } from "../linux/landlock.ts";

/** Frame types. Those below 16 go to init, the others come from it. */
export const frame = {
  configure: 1,
  spawn: 2,
  stdin: 3,
  stdinEnd: 4,
  resize: 5,
  signal: 6,
  outputCredit: 7,
  signalAll: 8,
  connect: 9,
  listen: 10,
  ready: 16,
  started: 17,
  stdout: 18,
  stderr: 19,
  exited: 20,
  failed: 21,
  inputCredit: 22,
  accepted: 23,
  outputEnd: 24,
} as const;

export type FrameType = (typeof frame)[keyof typeof frame];

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** Bytes of output (of stdout and stderr together) that init may send on a channel before it is given credit. */
export const OUTPUT_WINDOW = 256 * 1024;
/** Bytes of input that the supervisor may send on a channel before it is given credit. */
export const INPUT_WINDOW = 256 * 1024;
/** Nothing that either side sends is larger; a longer frame means that the peer is broken or hostile. */
export const MAX_FRAME_BYTES = 1024 * 1024;

const headerBytes = 9;

/** The listeners, in the order in which their descriptors are handed over. Ports are inside the sandbox's namespace. */
export const listenerAddresses = [
  { role: "proxy", transport: "tcp", address: "127.0.0.1", port: 3128 },
  { role: "transparent", transport: "tcp", address: "127.0.0.1", port: 3129 },
  { role: "transparent", transport: "tcp", address: "::1", port: 3129 },
  { role: "dns", transport: "udp", address: "127.0.0.1", port: 53 },
  { role: "dns", transport: "udp", address: "::1", port: 53 },
  { role: "dns", transport: "tcp", address: "127.0.0.1", port: 53 },
  { role: "dns", transport: "tcp", address: "::1", port: 53 },
] as const;

/** In init's first byte: the listener of its system call filter comes after all others. */
export const filterBit = 1 << listenerAddresses.length;

/** What init is told before anything else. */
export interface Configuration {
  readonly landlock: {
    readonly rules: readonly LandlockRule[];
    /** Give up rather than run with less than the rules say. */
    readonly required: boolean;
  };
  /** Limits on each process (core, nproc, nofile). */
  readonly limits: Readonly<Record<"core" | "nproc" | "nofile", number>>;
  /**
   * The supervisor's number in init's own process namespace, which they share in a container that an engine has made: what
   * bubblewrap does elsewhere is then init's own to do. Absent elsewhere.
   */
  readonly supervisorPid?: number;
}

/** The namespaces that a sandbox has of its own, as /proc/PID/ns/ names them. */
export const namespaceKinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] as const;

/** One measured fact about the isolation in force. */
export interface IsolationFact {
  /** Stable name, such as `landlock`. */
  readonly name: string;
  /** What was found, for people. */
  readonly value: string;
  /** Whether it is as strong as this product means it to be. */
  readonly strong: boolean;
  /** What to do about it, where it is not. */
  readonly remedy?: string;
}

export interface SpawnRequest {
  /** Program and arguments; never empty. */
  readonly command: readonly string[];
  /** The whole environment; nothing is inherited from init. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** Given when the program is to have a terminal. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** A connection inside the sandbox: to its loopback, to one of its Unix sockets, or one that a listener has accepted. */
export type ConnectRequest =
  | { readonly host: string; readonly port: number }
  | { readonly path: string }
  | { readonly accepted: number };

/** A listener on the sandbox's loopback. */
export interface ListenRequest {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

export interface Started {
  /** As the sandbox sees it; init's own for a socket. */
  readonly pid: number;
  /** Of a listener. */
  readonly port?: number;
}

/** A client has connected to a listener; `connection` is for a ConnectRequest. */
export interface Accepted {
  readonly connection: number;
  readonly host: string;
  readonly port: number;
}

export interface Exited {
  /** The exit code, or null when a signal ended the program. */
  readonly code: number | null;
  /** Signal number, 0 if none. */
  readonly signal: number;
}

export interface Failed {
  /** `ENOENT` and the like. */
  readonly code: string;
  readonly message: string;
}

/** A frame's bytes. */
export function encodeFrame(type: FrameType, channel: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
  bytes.writeUInt32LE(headerBytes - 4 + payload.length, 0);
  bytes.writeUInt8(type, 4);
  bytes.writeUInt32LE(channel, 5);
  payload.copy(bytes, headerBytes);
  return bytes;
}

/** A frame whose payload is a JSON document. */
export function encodeJsonFrame(type: FrameType, channel: number, value: unknown): Buffer {
  return encodeFrame(type, channel, Buffer.from(JSON.stringify(value)));
}

/** A frame whose payload is one unsigned 32-bit number. */
export function encodeNumberFrame(type: FrameType, channel: number, value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32LE(value);
  return encodeFrame(type, channel, payload);
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /**
   * Takes the next bytes and gives the frames that are complete with them.
   * @throws RangeError if a frame says it is shorter than its header or longer than MAX_FRAME_BYTES
   */
  push(bytes: Buffer): Frame[] {
    const input = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes;
    const frames: Frame[] = [];
    let offset = 0;
    while (input.length - offset >= 4) {
      const length = input.readUInt32LE(offset);
      if (length < headerBytes - 4 || length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes`);
      const end = offset + 4 + length;
      if (end > input.length) break;
      const payload = input.subarray(offset + headerBytes, end);
      frames.push({ type: input.readUInt8(offset + 4), channel: input.readUInt32LE(offset + 5), payload });
      offset = end;
    }
    this.#pending = input.subarray(offset);
    return frames;
  }
}
