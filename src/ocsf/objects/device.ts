/** OCSF object `device`: the sandbox, seen as the machine on which things happen; or the gateway. */

export interface Device {
  readonly type_id: number;
  readonly type: string;
  /** The sandbox's id, stable over its life. */
  readonly uid: string;
  /** The sandbox's name, or the gateway's. */
  readonly name: string;
  /** Different for each start. */
  readonly instance_uid: string;
  /** The sandbox's workspace. */
  readonly domain?: string;
  readonly hostname: string;
}

/** What names a sandbox. */
export interface SandboxNames {
  readonly sandboxId: string;
  readonly sandboxName: string;
  readonly workspace: string;
  readonly instanceId: string;
  /** The sandbox's host name inside itself. */
  readonly hostname: string;
}

/** The sandbox as a virtual machine: of the types that OCSF knows, the one that comes nearest. */
export function sandboxDevice(names: SandboxNames): Device {
  return {
    type_id: 6,
    type: "Virtual",
    uid: names.sandboxId,
    name: names.sandboxName,
    instance_uid: names.instanceId,
    domain: names.workspace,
    hostname: names.hostname,
  };
}

/** A gateway, which is a server. `uid` is that of its log, `hostname` the machine's. */
export function gatewayDevice(gateway: {
  readonly uid: string;
  readonly name: string;
  readonly instanceId: string;
  readonly hostname: string;
}): Device {
  return {
    type_id: 1,
    type: "Server",
    uid: gateway.uid,
    name: gateway.name,
    instance_uid: gateway.instanceId,
    hostname: gateway.hostname,
  };
}
