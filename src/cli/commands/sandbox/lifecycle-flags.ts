/** Flags of `sandbox create` that say what becomes of the sandbox when nobody is there. */
import type { SandboxSpecJson } from "../../../gen/openshell/v1/sandbox_pb.ts";
import { usageFailure } from "../../command-failure.ts";
import { value } from "../../flags/flag.ts";
import { duration, oneOf } from "../../flags/meanings.ts";

/**
 * A sandbox that is not to be kept is deleted by this program once the command has ended. Should this program have been
 * killed, the gateway does it after so long without any program in the sandbox.
 */
const ABANDONED_SECONDS = 300;

const SECOND_MS = 1_000;

export const lifecycleFlags = {
  restart: value(
    "with --detach: run the command again when it has ended: no, on-failure or always",
    oneOf(["no", "on-failure", "always"]),
    {
      placeholder: "MODE",
    },
  ),
  "idle-timeout": value("stop the sandbox after so long without any program in it", duration, {
    placeholder: "DURATION",
  }),
  "max-lifetime": value("stop the sandbox so long after its start", duration, { placeholder: "DURATION" }),
} as const;

/** What was given of them, and of the flags they go with. */
export interface LifecycleFlags {
  readonly keep: boolean | undefined;
  readonly detach: boolean | undefined;
  readonly tty: boolean | undefined;
  readonly restart: "no" | "on-failure" | "always" | undefined;
  readonly "idle-timeout": number | undefined;
  readonly "max-lifetime": number | undefined;
}

export function refuseLifecycleContradictions(flags: LifecycleFlags, command: readonly string[]): void {
  const hasTime = flags["idle-timeout"] !== undefined || flags["max-lifetime"] !== undefined;
  if (flags.keep === false && command.length === 0 && !hasTime) {
    throw usageFailure("--no-keep deletes the sandbox when its command ends, and there is no command");
  }
  if (flags.detach && command.length === 0) throw usageFailure("--detach is for a command, and there is none");
  if (flags.restart !== undefined && !flags.detach) {
    throw usageFailure("--restart is for a command that the sandbox runs by itself", "say --detach as well");
  }
  for (const name of ["idle-timeout", "max-lifetime"] as const) {
    const time = flags[name];
    if (time !== undefined && time < SECOND_MS) throw usageFailure(`--${name} is less than a second`);
  }
}

/** Their part of what the gateway is asked for. */
export function lifecycleSpec(flags: LifecycleFlags, command: readonly string[]): SandboxSpecJson {
  const ephemeral = flags.keep === false;
  const isAttended = ephemeral && !flags.detach && command.length > 0;
  const idleSeconds = seconds(flags["idle-timeout"]) ?? (isAttended ? ABANDONED_SECONDS : 0);
  return {
    ...(flags.detach && { command: [...command], tty: flags.tty ?? false }),
    ...(flags.restart !== undefined && { restart: flags.restart }),
    lifetime: { ephemeral, idleSeconds, maxSeconds: seconds(flags["max-lifetime"]) ?? 0 },
  };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(ms / SECOND_MS);
}
