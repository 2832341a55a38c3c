/** A gateway that is one of several on a database: its ports, open from the start, and its place in the line for the lead. */

import type { KubernetesSettings } from "../drivers/kubernetes/kubernetes-file.ts";
import type { GatewayLog } from "../gateway-log.ts";
import { LOOPBACK, USUAL_PORT } from "../server/listen.ts";
import type { ServerSettings } from "../server/server-file.ts";
import type { LeaderAddress, Standby } from "../store/postgres/leadership.ts";
import { type PortAddress, ReplicaPort } from "./replica-port.ts";

export interface ReplicaPorts {
  readonly api: ReplicaPort;
  readonly supervisors: ReplicaPort;
}

export interface Replica {
  readonly ports: ReplicaPorts;
  /** For whoever opens the store. */
  readonly standby: Standby;
}

export interface ReplicaPlaces {
  /** By which the other replicas reach this one. */
  readonly host: string;
  readonly api: PortAddress;
  readonly supervisors: PortAddress;
}

export interface ReplicaTerms {
  /** Whoever waits in the background for a gateway to serve would wait for another gateway's end. */
  readonly isInForeground: boolean;
  /** By which the other replicas reach this one. */
  readonly address: string | undefined;
  /** The API's; absent: the usual one. */
  readonly port?: number | undefined;
  readonly server: Pick<ServerSettings, "listen">;
  readonly kubernetes: KubernetesSettings | undefined;
}

/**
 * The places of a replica, from what its gateway is told.
 * @throws Error with what is missing
 */
export function replicaPlaces({ isInForeground, address, port, server, kubernetes }: ReplicaTerms): ReplicaPlaces {
  if (kubernetes === undefined) {
    throw new Error(
      "`replicas` in database.yaml wants a kubernetes.yaml: sandboxes of one machine are no other machine's",
    );
  }
  if (!isInForeground) {
    throw new Error("a replica waits for its turn for as long as another one leads: start it with --foreground");
  }
  if (!address) {
    throw new Error("OPENSHELL_REPLICA_ADDRESS must be set: the address by which the other replicas reach this one");
  }
  const api = { host: server.listen ?? LOOPBACK, port: port ?? USUAL_PORT };
  return { host: address, api, supervisors: kubernetes.listen };
}

/** Opens the ports. Rejects when one is taken. */
export async function openReplica({ host, api, supervisors }: ReplicaPlaces, log: GatewayLog): Promise<Replica> {
  const ports = {
    api: new ReplicaPort({ allowHalfOpen: false }),
    supervisors: new ReplicaPort({ allowHalfOpen: true }),
  };
  const address = {
    host,
    apiPort: await ports.api.listen(api),
    supervisorsPort: await ports.supervisors.listen(supervisors),
  };
  log.info(`replica ${host} listens on port ${address.apiPort} and stands by`);
  let known: string | undefined;
  const onLeader = (leader: LeaderAddress | undefined) => {
    // What this address has led before it was started again is no leader, and passing on to itself would never end.
    const other = leader !== undefined && !isSame(leader, address) ? leader : undefined;
    if (other?.host !== known) log.info(other === undefined ? "no replica leads" : `replica ${other.host} leads`);
    known = other?.host;
    ports.api.passTo(other && { host: other.host, port: other.apiPort });
    ports.supervisors.passTo(other && { host: other.host, port: other.supervisorsPort });
  };
  return { ports, standby: { address, onLeader } };
}

function isSame(one: LeaderAddress, other: LeaderAddress): boolean {
  return one.host === other.host && one.apiPort === other.apiPort;
}
