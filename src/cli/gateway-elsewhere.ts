/** What the commands of a gateway's life mean for one that is no process of this machine's: on another machine, or in a container. */
import type { CommandContext } from "./command-context.ts";
import { CommandFailure } from "./command-failure.ts";
import { askedContainerGateway } from "./container-gateway/container-gateway.ts";
import { askedRemoteGateway } from "./remote/asked-remote.ts";

export interface LogsAsked {
  readonly lines: number;
  readonly follow: boolean;
}

export interface GatewayElsewhere {
  readonly name: string;
  /** Reads like `on HOST`. */
  readonly place: string;
  stop(context: CommandContext): Promise<void>;
  restart(context: CommandContext): Promise<void>;
  /** @returns the exit code. */
  logs(asked: LogsAsked, context: CommandContext): Promise<number>;
  destroy(context: CommandContext): Promise<void>;
}

/** The gateway that is meant, if it is elsewhere. */
export async function askedElsewhere(context: CommandContext): Promise<GatewayElsewhere | undefined> {
  const remote = askedRemoteGateway(context);
  if (remote !== undefined) {
    const verbs = await import("./remote/verbs.ts");
    return {
      name: remote.name,
      place: `on ${remote.access.destination}`,
      stop: (given) => verbs.stopThere(remote, given),
      restart: (given) => verbs.restartThere(remote, given),
      logs: (asked, given) => verbs.logsThere(remote, asked, given),
      destroy: (given) => verbs.destroyThere(remote, given),
    };
  }
  const contained = askedContainerGateway(context);
  if (contained === undefined) return undefined;
  const verbs = await import("./container-gateway/verbs.ts");
  return {
    name: contained.name,
    place: `in ${contained.engine.name}`,
    stop: (given) => verbs.stopContained(contained, given),
    restart: (given) => verbs.restartContained(contained, given),
    logs: (asked, given) => verbs.logsContained(contained, asked, given),
    destroy: (given) => verbs.destroyContained(contained, given),
  };
}

/** Throws CommandFailure where the gateway that is meant is elsewhere: `verb` works on this machine's own files. */
export function refuseElsewhere(verb: string, context: CommandContext): void {
  const remote = askedRemoteGateway(context);
  if (remote !== undefined) {
    const { name, runtime, access } = remote;
    throw new CommandFailure(`\`gateway ${verb}\` works on the machine of its gateway, and "${name}" is on another`, {
      code: "failed_precondition",
      hint: `run \`${runtime}/bin/openshell gateway ${verb}\` on ${access.destination}, or choose this machine's with \`-g openshell\``,
    });
  }
  const contained = askedContainerGateway(context);
  if (contained === undefined) return;
  throw new CommandFailure(
    `\`gateway ${verb}\` is for a gateway that is no container's, and "${contained.name}" is one`,
    {
      code: "failed_precondition",
      hint: `all that it has is in the volume openshell-gateway-${contained.name}; choose this machine's own with \`-g openshell\``,
    },
  );
}
