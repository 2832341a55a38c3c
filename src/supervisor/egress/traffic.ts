/** Counts what passes a connection's upstream side. */
import type { Socket } from "node:net";
import type { TrafficCounts } from "./11-audit.ts";

/** Starts counting; the function it gives tells the counts, also after the socket has been closed. */
export function countTraffic(upstream: Socket | undefined): () => TrafficCounts {
  // The address is forgotten by the socket when it closes.
  const dialled = upstream?.remoteAddress;
  return () => {
    const counts = { bytesIn: upstream?.bytesRead ?? 0, bytesOut: upstream?.bytesWritten ?? 0 };
    return dialled === undefined ? counts : { ...counts, dialled };
  };
}
