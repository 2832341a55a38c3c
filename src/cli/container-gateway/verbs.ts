/** What `gateway stop | restart | logs | destroy` mean for a gateway in a container. */

import { ifThere } from "../../engine/engine.ts";
import {
  containedGatewayId,
  GATEWAY_LABEL,
  gatewayContainerName,
  gatewayVolumeName,
} from "../../engine/gateway-container.ts";
import { configDirectory } from "../../locations/config-directory.ts";
import { removeGatewayEntry } from "../../locations/gateway-entry.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import type { LogsAsked } from "../gateway-elsewhere.ts";
import { printableLine } from "../output/printable.ts";
import type { ContainerGateway } from "./container-gateway.ts";
import { reachEngine } from "./reach-engine.ts";

export async function stopContained({ name, engine }: ContainerGateway, context: CommandContext): Promise<void> {
  const { containers } = await reachEngine(engine);
  const container = gatewayContainerName(name);
  await containers.setRestart(container, "no");
  await containers.stop(container);
  context.print(`the gateway "${name}" is stopped\n`);
}

export async function restartContained(gateway: ContainerGateway, context: CommandContext): Promise<void> {
  const { name, engine } = gateway;
  const { containers } = await reachEngine(engine);
  const container = gatewayContainerName(name);
  if (!(await containers.exists(container))) throw gone(gateway);
  await containers.stop(container);
  await containers.start(container);
  const { untilItAnswers } = await import("./start-in-container.ts");
  await untilItAnswers(gateway, { reach: await reachEngine(engine), context });
  context.print(`the gateway "${name}" runs\n`);
}

export async function logsContained(
  gateway: ContainerGateway,
  { lines, follow }: LogsAsked,
  context: CommandContext,
): Promise<number> {
  const { name, engine } = gateway;
  const reach = await reachEngine(engine);
  const container = gatewayContainerName(name);
  if (!(await reach.containers.exists(container))) throw gone(gateway);
  const enough = new AbortController();
  const stop = () => enough.abort();
  context.stdout.once("error", stop);
  context.signals.on("SIGINT", stop);
  try {
    for await (const line of reach.containers.logLines(container, { lines, follow, signal: enough.signal })) {
      context.print(`${printableLine(line)}\n`);
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    context.signals.off("SIGINT", stop);
  }
  return 0;
}

/** With its sandboxes, and all that they have written. */
export async function destroyContained(
  { name, engine: address }: ContainerGateway,
  context: CommandContext,
): Promise<void> {
  const { engine, containers } = await reachEngine(address);
  const volume = gatewayVolumeName(name);
  const container = gatewayContainerName(name);
  const found = await ifThere(engine.get<{ Mountpoint: string }>(`/volumes/${volume}`));
  // First, so that it makes no more of them.
  await containers.stop(container);
  const own = found && { label: GATEWAY_LABEL, value: containedGatewayId(found.Mountpoint) };
  if (own !== undefined) await containers.removeAll(await containers.withLabel(own));
  await containers.remove(container);
  if (found !== undefined) await engine.delete(`/volumes/${volume}`);
  removeGatewayEntry(configDirectory(context.environment), name);
  context.print(`the gateway "${name}" is destroyed; nothing of it is left in ${address.name}\n`);
}

function gone({ name, engine }: ContainerGateway): CommandFailure {
  return new CommandFailure(`${engine.name} has no container of the gateway "${name}" any more`, {
    code: "not_found",
    hint: `\`openshell gateway start -g ${name}\` makes it anew, with the state of its volume`,
  });
}
