/** An IP address in canonical text: dotted quad, or RFC 5952 with IPv4-mapped addresses turned into IPv4. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly text: string;
}
