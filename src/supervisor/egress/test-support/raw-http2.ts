/** A peer of HTTP/2 that hears and says single frames: what no library says, and what every library hides. */
import type { Socket } from "node:net";
import { connectionPreface, frameTypes } from "../../../net/http2-frames.ts";
import { frame } from "./http2-world.ts";

export const endStream = 0x1;
export const endHeaders = 0x4;

export interface HeardFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const headLength = 9;

export class RawHttp2 {
  readonly socket: Socket;
  /** All that was heard. */
  readonly frames: HeardFrame[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #changed: () => void = () => {};

  /** Begins with its settings. */
  constructor(socket: Socket, role: "client" | "upstream") {
    this.socket = socket;
    let skip = role === "upstream" ? connectionPreface.length : 0;
    socket.on("data", (piece: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, piece]);
      if (this.#bytes.length < skip) return;
      this.#bytes = this.#bytes.subarray(skip);
      skip = 0;
      this.#cut();
      this.#changed();
    });
    socket.on("close", () => this.#end()).on("end", () => this.#end());
    if (role === "client") socket.write(connectionPreface);
    this.say(frame(frameTypes.settings, 0, 0));
  }

  say(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Waits for a frame; undefined if the connection ends without. */
  async until(wanted: (heard: HeardFrame) => boolean): Promise<HeardFrame | undefined> {
    for (;;) {
      const found = this.frames.find(wanted);
      if (found !== undefined || this.#closed) return found;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  #end(): void {
    this.#closed = true;
    this.#changed();
  }

  #cut(): void {
    while (this.#bytes.length >= headLength) {
      const end = headLength + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) return;
      const [type = 0, flags = 0] = this.#bytes.subarray(3, 5);
      const payload = this.#bytes.subarray(headLength, end);
      this.frames.push({ type, flags, streamId: this.#bytes.readUInt32BE(5), payload });
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}
