/** What a client has open: files and listings, by the handles that it was given. */
import { closeSync, type Dir } from "node:fs";
import { ProtocolError, uint32 } from "./protocol.ts";

/** As many as the descriptors that a process has by default; a client that opens more forgets to close. */
export const MAX_OPEN_FILES = 1_000;

export type Opened =
  | { readonly kind: "file"; readonly fd: number; readonly appends: boolean }
  | { readonly kind: "directory"; readonly path: Buffer; readonly listing: Dir };

export class OpenFiles {
  readonly #opened = new Map<number, Opened>();
  #last = 0;

  /** Throws an error like the kernel's if there are too many; what was opened is closed again then. */
  add(opened: Opened): Buffer {
    if (this.#opened.size >= MAX_OPEN_FILES) {
      closeOne(opened);
      throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
    }
    this.#last += 1;
    this.#opened.set(this.#last, opened);
    return uint32(this.#last);
  }

  /** Throws ProtocolError for a handle that is none. */
  get(handle: Buffer): Opened {
    const opened = handle.length === 4 ? this.#opened.get(handle.readUInt32BE()) : undefined;
    if (opened === undefined) throw new ProtocolError("a handle that is not open");
    return opened;
  }

  /** Throws ProtocolError unless it is a file's. */
  file(handle: Buffer): Extract<Opened, { kind: "file" }> {
    const opened = this.get(handle);
    if (opened.kind !== "file") throw new ProtocolError("a directory's handle where a file's is meant");
    return opened;
  }

  close(handle: Buffer): void {
    const opened = this.get(handle);
    this.#opened.delete(handle.readUInt32BE());
    closeOne(opened);
  }
}

function closeOne(opened: Opened): void {
  if (opened.kind === "file") closeSync(opened.fd);
  else opened.listing.closeSync();
}
