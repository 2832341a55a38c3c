import { type Duplex, pipeline } from "node:stream";

/** Bytes both ways; the end of one way is passed on, and an error ends both. */
export function joinStreams(one: Duplex, other: Duplex): void {
  pipeline(one, other, one, () => {
    one.destroy();
    other.destroy();
  });
}
