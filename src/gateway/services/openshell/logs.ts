import type { SandboxLogLine } from "../../../gen/openshell/v1/watch_pb.ts";
import { GATEWAY_LOG } from "../../audit/call-recorder.ts";
import type { GatewayContext } from "../../context.ts";
import { levelsFrom } from "../../sandboxes/log-levels.ts";
import { requireOwner } from "../../server/caller.ts";
import type { Methods } from "./methods.ts";

/** How many lines are shown when the client does not say. */
const DEFAULT_LINES = 200;
/** Some 3 MB in one answer; more is for the files. */
const MAX_LINES = 10_000;

/** The stored log of a sandbox, with what users asked of the gateway about it; without a sandbox, all that they asked. */
export function logMethods({ registry, settings, store }: GatewayContext): Methods {
  return {
    async getSandboxLogs({ sandboxId, lines, sinceMs, sources, minLevel, beforeSequence }, { values }) {
      if (sandboxId === GATEWAY_LOG) requireOwner(values);
      const { id } = sandboxId === GATEWAY_LOG ? { id: GATEWAY_LOG } : await registry.find(sandboxId);
      const logs: SandboxLogLine[] = await store.logs.read({
        sandboxId: id,
        lines: Math.min(lines || DEFAULT_LINES, MAX_LINES),
        sinceMs: Number(sinceMs),
        sources,
        beforeSequence: Number(beforeSequence),
        levels: levelsFrom(minLevel || (await settings.effective(id, "log_level"))),
      });
      return { logs, bufferTotal: await store.logs.count(id) };
    },
  };
}
