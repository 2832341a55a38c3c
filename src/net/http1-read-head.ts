/** Waits for the head of a message. */
import type { ByteReader } from "./byte-reader.ts";
import type { HeadResult } from "./http1-head.ts";

export type ReadHead<Head> =
  /** `length` bytes of the reader are the head; they have not been taken. */
  | { readonly kind: "head"; readonly head: Head; readonly length: number }
  | { readonly kind: "malformed"; readonly detail: string }
  /** Nothing more will come; `partial` if the head had begun. */
  | { readonly kind: "end"; readonly partial: boolean }
  | { readonly kind: "timeout"; readonly partial: boolean };

export interface HeadTimes {
  /** Milliseconds for the first byte to come. */
  readonly firstByteMs: number;
  /** Milliseconds from the first byte to the head's end, however slowly its bytes drip. */
  readonly wholeHeadMs: number;
}

/** Reads until `parse` gives a head or turns it down. */
export async function readHead<Head>(
  reader: ByteReader,
  parse: (bytes: Buffer) => HeadResult<Head>,
  times: HeadTimes,
): Promise<ReadHead<Head>> {
  let deadline: number | undefined;
  for (;;) {
    const partial = reader.bytes.length > 0;
    if (partial) {
      const result = parse(reader.bytes);
      if (result.kind !== "incomplete") return result;
      deadline ??= performance.now() + times.wholeHeadMs;
    }
    const filled = await reader.fill(deadline === undefined ? times.firstByteMs : deadline - performance.now());
    if (filled === "timeout") return { kind: "timeout", partial };
    if (filled !== "data") return { kind: "end", partial };
  }
}
