import assert from "node:assert/strict";
import { it } from "node:test";
import { Containers } from "./containers.ts";
import { type Engine, EngineRefusal } from "./engine.ts";

/** An engine that keeps a container as long as another one uses its namespaces, as Podman does. */
function engineWith(users: ReadonlyMap<string, string>): { readonly engine: Engine; readonly left: Set<string> } {
  const left = new Set([...users.keys(), ...users.values()]);
  const remove = async (path: string): Promise<void> => {
    const name = path.split("/").at(-1) ?? "";
    const user = users.get(name);
    if (user !== undefined && left.has(user)) throw new EngineRefusal(500, `${name} has dependent containers: ${user}`);
    left.delete(name);
  };
  return { engine: { delete: remove } as unknown as Engine, left };
}

it("removes containers before those whose namespaces they use, in whichever order they are named", async () => {
  const { engine, left } = engineWith(new Map([["agent", "supervisor"]]));
  await new Containers(engine).removeAll(["agent", "supervisor"]);
  assert.deepEqual([...left], []);
});

it("says which containers can't be removed at all", async () => {
  const { engine, left } = engineWith(new Map([["agent", "somebody else's"]]));
  await assert.rejects(new Containers(engine).removeAll(["agent"]), /agent has dependent containers/);
  assert.ok(left.has("agent"));
});
