/** OCSF object `device`: the sandbox, seen as the machine on which things happen. */

export interface Device {
  readonly type_id: number;
  readonly type: string;
  /** The sandbox's id, stable over its life. */
  readonly uid: string;
  /** The sandbox's name. */
  readonly name: string;
  /** Different for each start of the sandbox. */
  readonly instance_uid: string;
  /** The sandbox's workspace. */
  readonly domain: string;
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
