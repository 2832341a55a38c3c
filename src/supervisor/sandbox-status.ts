/** What a supervisor tells the gateway of its sandbox: phase, conditions, and the isolation as measured. */
import type { DetachedCommandJson } from "../gen/openshell/v1/exec_pb.ts";
import type { SupervisorStatusJson } from "../gen/openshell/v1/supervisor_pb.ts";
import type { BuiltSandbox } from "./sandbox/prepared-sandbox.ts";

type Condition = NonNullable<SupervisorStatusJson["conditions"]>[number];

/** Why a sandbox has nothing more to do: its command is over for good, nothing runs in it, or its time is over. */
export type Finished = "command" | "idle" | "max_lifetime";

/** What is told of a sandbox that runs: all of it at each change, since the gateway may hear only the last. */
export class RunningStatus {
  readonly #built: BuiltSandbox;
  readonly #tell: (status: SupervisorStatusJson) => void;
  readonly #sshHostKey: string;
  #policyVersion: number;
  #command: Pick<SupervisorStatusJson, "exitCode" | "restartCount"> = {};
  #finished: Finished | undefined;
  #memory: Condition | undefined;
  #disk: Condition | undefined;
  #detached: DetachedCommandJson[] = [];

  constructor(
    built: BuiltSandbox,
    { policyVersion, sshHostKey }: { readonly policyVersion: number; readonly sshHostKey: string },
    tell: (status: SupervisorStatusJson) => void,
  ) {
    this.#built = built;
    this.#policyVersion = policyVersion;
    this.#sshHostKey = sshHostKey;
    this.#tell = tell;
  }

  /** The sandbox is ready; of earlier starts, these commands ran without a client. */
  ready(detached: DetachedCommandJson[]): void {
    this.#detached = detached;
    this.#report();
  }

  policyLoaded(version: number): void {
    this.#policyVersion = version;
    this.#report();
  }

  commandEnded(exitCode: number, restartCount: number): void {
    this.#command = { exitCode, restartCount };
    this.#report();
  }

  /** So many programs were killed because the sandbox's memory was used up. */
  outOfMemory(count: number, limitBytes: number): void {
    const message = `${count} killed: together its programs may use ${Math.floor(limitBytes / 2 ** 20)} MiB`;
    this.#memory = condition("OutOfMemory", { reason: "Killed", message });
    this.#report();
  }

  /** What its programs were ended for, or, with undefined, that there is room again. */
  outOfDisk(message: string | undefined): void {
    const given = condition("OutOfDisk", {
      reason: message === undefined ? "RoomAgain" : "Killed",
      message: message ?? "",
    });
    this.#disk = message === undefined ? { ...given, status: "False" } : given;
    this.#report();
  }

  /** Of the commands that run without a client, all that are known now. */
  detachedCommands(commands: DetachedCommandJson[]): void {
    this.#detached = commands;
    this.#report();
  }

  finished(why: Finished): void {
    this.#finished = why;
    this.#report();
  }

  #report(): void {
    const ready = readyStatus(this.#built, { policyVersion: this.#policyVersion, sshHostKey: this.#sshHostKey });
    this.#tell({
      ...ready,
      conditions: [...(ready.conditions ?? []), ...[this.#memory, this.#disk].filter((it) => it !== undefined)],
      ...this.#command,
      commands: this.#detached,
      ...(this.#finished !== undefined && { finished: this.#finished }),
    });
  }
}

/** The sandbox runs, with this policy revision in force, and its SSH server is known by this key. */
function readyStatus(
  built: BuiltSandbox,
  { policyVersion, sshHostKey }: { readonly policyVersion: number; readonly sshHostKey: string },
): SupervisorStatusJson {
  const weak = built.isolation.filter(({ strong }) => !strong);
  const isolated: Condition =
    weak.length === 0
      ? condition("IsolationReady", { reason: "Measured", message: "every measure is in force" })
      : condition("IsolationReady", {
          reason: "Reduced",
          message: weak.map(({ name, value }) => `${name}: ${value}`).join("; "),
        });
  return {
    phase: "SANDBOX_PHASE_READY",
    conditions: [
      isolated,
      condition("PolicyLoaded", {
        reason: "Loaded",
        message: [`revision ${policyVersion}`, ...built.warnings].join("; "),
      }),
      condition("Ready", { reason: "Running", message: "" }),
    ],
    isolation: built.isolation.map(({ name, value, remedy = "" }) => ({ name, value, remedy })),
    policyVersion,
    sshHostKey,
  };
}

/** The sandbox could not be built. */
export function failedStatus(error: string): SupervisorStatusJson {
  return {
    phase: "SANDBOX_PHASE_ERROR",
    conditions: [{ ...condition("Ready", { reason: "Failed", message: error }), status: "False" }],
    error,
  };
}

/** Stopped because someone asked for it. */
export function stoppedStatus(): SupervisorStatusJson {
  return {
    phase: "SANDBOX_PHASE_STOPPED",
    conditions: [{ ...condition("Ready", { reason: "Stopped", message: "" }), status: "False" }],
  };
}

function condition(type: string, { reason, message }: { reason: string; message: string }): Condition {
  return { type, status: "True", reason, message, lastTransitionTime: new Date().toISOString() };
}
