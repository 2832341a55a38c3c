/**
 * What a supervisor must know to run its sandbox. The gateway writes it as one JSON document to the supervisor's
 * standard input and closes it; a supervisor kept in reserve simply waits there. End of input without a document means
 * that the gateway went away, and the supervisor exits.
 */
export interface LaunchSpec {
  readonly sandboxId: string;
  readonly sandboxName: string;
  readonly workspace: string;
  /** Unique for each start of the sandbox. */
  readonly instanceId: string;
  /** Where the gateway listens for supervisors, and the token (good for this sandbox alone) to show there. */
  readonly gateway: { readonly socketPath: string; readonly token: string };
  /** openshell.sandbox.v1.SandboxPolicy as ProtoJSON, with the revision that the gateway gave it. */
  readonly policy: { readonly message: unknown; readonly version: number; readonly hash: string };
  /** What the user asked for with `--env`; the supervisor adds proxy and trust variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** As the supervisor sees them (a gateway that is root gives it a mount namespace of its own). */
  readonly directories: SandboxDirectories;
}

/** The parts of a sandbox's state directory. All exist before the supervisor starts. */
export interface SandboxDirectories {
  /** Becomes `/sandbox`; persists. */
  readonly home: string;
  /** Audit log and shorthand log; shown read-only to the agent under `/var/log`. */
  readonly logs: string;
  /** First-use digests and the like; never visible to the agent. */
  readonly state: string;
  /** Scratch for this start: trust bundle, resolv.conf, nft rules. Emptied at each start. */
  readonly scratch: string;
}
