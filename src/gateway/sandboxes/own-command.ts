/** The command that a sandbox runs by itself, as its record says it. */
import type { SandboxSpec } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { OwnCommand, RestartMode } from "../../supervisor/launch-spec.ts";
import { invalid } from "../refuse.ts";
import type { SandboxRecord } from "../store/store.ts";

const modes: readonly RestartMode[] = ["no", "on-failure", "always"];

/** Throws INVALID_ARGUMENT for a restart mode that is none, or that has no command to be for. */
export function requireOwnCommand({ command, restart }: SandboxSpec): void {
  if (restart !== "" && !modes.some((mode) => mode === restart)) {
    throw invalid(`restart: "${restart}" is not ${modes.join(", ")}`);
  }
  if (restart !== "" && command.length === 0)
    throw invalid("restart is for a sandbox's own command, and there is none");
}

/** What the supervisor is to run; undefined where there is no command. */
export function ownCommand({ spec }: SandboxRecord): OwnCommand | undefined {
  const { command, tty, restart } = spec;
  return command.length === 0
    ? undefined
    : { words: command, tty, restart: modes.find((mode) => mode === restart) ?? "no" };
}

/**
 * Whether the command runs again in a sandbox that is brought back after its supervisor, its gateway or the machine went
 * down. Without being asked nothing runs twice: a command may not bear it.
 */
export function isCommandRunAgain({ spec, status }: SandboxRecord): boolean {
  return spec.restart === "always" || (spec.restart === "on-failure" && status.exitCode !== 0);
}
