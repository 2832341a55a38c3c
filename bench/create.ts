/** From nothing to the end of the first command, and everything gone again. */
import { setTimeout as delay } from "node:timers/promises";
import { bubblewrap } from "./compare/bubblewrap.ts";
import type { Bench, Row } from "./support/bench.ts";
import { runSilently } from "./support/command.ts";
import { type Contender, interleave } from "./support/interleave.ts";

/**
 * The gateway prepares its next supervisor a while after the last was taken; who creates one now and then finds it ready.
 * Under a second on an idle machine, and on a busy one it would be the neighbours that are measured.
 */
const REST_MS = 1_500;
const rest = () => delay(REST_MS);

export const create: Row = {
  name: "create",
  title: "create → end of `true` → deleted",
  target: "faster than `docker run`; aim: 100 ms",
  measure: ({ installation, docker, sandboxRuntime, rounds }) => {
    const whole = installation.command("sandbox", "create", "--no-keep", "--", "true");
    return interleave(
      [
        { name: "openshell sandbox create --no-keep -- true", before: rest, once: () => runSilently(whole) },
        { name: "the same, right after another", before: rest, once: () => secondOf(() => runSilently(whole)) },
        { ...byTheApi(installation.api), before: rest },
        bubblewrap,
        "missing" in docker ? docker : docker.run("true"),
        "missing" in sandboxRuntime
          ? sandboxRuntime
          : { name: "srt true", once: () => runSilently(sandboxRuntime.command("true")) },
      ],
      { rounds },
    );
  },
};

/** Without a command around it: what a program sees that has the gateway's API open. Not counting the deletion. */
function byTheApi(api: Bench["installation"]["api"]): Contender {
  let created: Awaited<ReturnType<typeof api.create>> | undefined;
  return {
    name: "by the API: create, run `true`",
    once: async () => {
      created = await api.create();
      await api.exec(created.metadata?.id ?? "", ["true"]);
    },
    after: async () => created && api.remove(created),
  };
}

async function secondOf(act: () => Promise<void>): Promise<number> {
  await act();
  const start = performance.now();
  await act();
  return performance.now() - start;
}
