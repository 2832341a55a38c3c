/** A gateway that starts: until it answers, and until it has its running sandboxes again. */
import { setTimeout as delay } from "node:timers/promises";
import { readRunningGateway } from "../src/locations/running-gateway.ts";
import type { Row } from "./support/bench.ts";
import { runSilently } from "./support/command.ts";
import { type Installation, install } from "./support/installation.ts";
import { interleave } from "./support/interleave.ts";

const SANDBOXES = 64;
/** Each takes every supervisor along, and they differ little. */
const REATTACH_ROUNDS = 5;
const METRICS_PORT = 17_699;

export const gatewayStart: Row = {
  name: "gateway-start",
  title: "`openshell gateway start`, until it is ready",
  target: "at most 500 ms",
  measure: async ({ rounds }) => {
    // The others' gateway stays up.
    await using own = await install();
    const stop = () => own.run("gateway", "stop");
    const start = own.command("gateway", "start");
    const bare = { file: process.execPath, args: ["-e", "0"] };
    return await interleave(
      [
        { name: "openshell gateway start", before: stop, once: () => runSilently(start) },
        { name: "node -e 0", once: () => runSilently(bare) },
      ],
      { rounds },
    );
  },
};

export const reattach: Row = {
  name: "reattach",
  title: `${SANDBOXES} running sandboxes found again by the next gateway, after a kill`,
  target: "at most 2 s",
  measure: async ({ rounds }) => {
    await using own = await install();
    const sandboxes = [];
    for (let count = 0; count < SANDBOXES; count += 1) {
      const sandbox = await own.api.create();
      await own.api.whenReady(sandbox.metadata?.id ?? "");
      sandboxes.push(sandbox);
    }
    const start = own.command("gateway", "start", "--metrics-port", String(METRICS_PORT));
    return await interleave(
      [
        {
          name: "openshell gateway start, until all are connected",
          before: () => kill(own),
          once: async () => {
            await runSilently(start);
            while ((await connected()) < SANDBOXES) await delay(10);
          },
        },
      ],
      { rounds: Math.min(rounds, REATTACH_ROUNDS) },
    );
  },
};

async function kill({ stateDirectory }: Installation): Promise<void> {
  process.kill(readRunningGateway(stateDirectory)?.pid ?? 0, "SIGKILL");
  while (readRunningGateway(stateDirectory) !== undefined) await delay(10);
}

/** Supervisors that the gateway has a session with. */
async function connected(): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`).catch(() => undefined);
  return Number(/^openshell_supervisors_connected (\d+)$/m.exec((await answer?.text()) ?? "")?.[1] ?? 0);
}
