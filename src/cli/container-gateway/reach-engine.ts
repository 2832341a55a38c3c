import { Containers } from "../../engine/containers.ts";
import { Engine, type EngineAddress } from "../../engine/engine.ts";
import { CommandFailure } from "../command-failure.ts";

export interface Reach {
  readonly engine: Engine;
  readonly containers: Containers;
}

/** Throws CommandFailure where it does not answer. */
export async function reachEngine(address: EngineAddress): Promise<Reach> {
  const engine = await Engine.connect(address, (message) => {
    return new CommandFailure(message, {
      code: "unavailable",
      hint: `start ${address.name}; that this user may use its socket, \`${address.name} info\` shows`,
    });
  });
  return { engine, containers: new Containers(engine) };
}
