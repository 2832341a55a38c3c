/** OCSF object `network_traffic`, counted as the sandbox sees it: `in` is what it received. */

export interface Traffic {
  readonly bytes: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

export function traffic(bytesIn: number, bytesOut: number): Traffic {
  return { bytes: bytesIn + bytesOut, bytes_in: bytesIn, bytes_out: bytesOut };
}
