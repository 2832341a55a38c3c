/** OCSF object `network_connection_info`: always outbound, since nothing connects into a sandbox this way. */

export interface ConnectionInfo {
  readonly uid?: string;
  readonly direction_id: number;
  readonly direction: string;
  /** As in the IP header: 6 is TCP, 17 UDP. */
  readonly protocol_num: number;
  readonly protocol_name: string;
  readonly protocol_ver_id?: number;
}

/** `uid` names the connection in all events that tell of it or of its requests. */
export function connectionInfo(protocol: "tcp" | "udp", family?: 4 | 6, uid?: string): ConnectionInfo {
  return {
    ...(uid !== undefined && { uid }),
    direction_id: 2,
    direction: "Outbound",
    protocol_num: protocol === "tcp" ? 6 : 17,
    protocol_name: protocol,
    ...(family && { protocol_ver_id: family }),
  };
}
