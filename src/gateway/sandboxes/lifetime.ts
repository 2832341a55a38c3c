/** When sandboxes end by themselves, and what becomes of them then. */
import { SandboxPhase } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { Lifetime } from "../../supervisor/launch-spec.ts";
import type { GatewayContext } from "../context.ts";
import type { SandboxRecord } from "../store/store.ts";
import { deleteSandbox } from "./delete.ts";
import { stopSandbox } from "./stop.ts";

/** What is left of a sandbox's times, `nowMs` being the time of its (new) supervisor; undefined: nothing. */
export function lifetimeLeft({ spec, status }: SandboxRecord, nowMs: number): Lifetime | undefined {
  const { idleSeconds = 0, maxSeconds = 0 } = spec.lifetime ?? {};
  if (maxSeconds === 0) return { idleSeconds, maxSeconds };
  const passed = Math.max(0, nowMs - Number(status.startedAtMs)) / 1000;
  return passed < maxSeconds ? { idleSeconds, maxSeconds: maxSeconds - passed } : undefined;
}

/** Why a supervisor says that its sandbox has nothing more to do, in words for people. */
const whyEnded: Readonly<Record<string, { readonly reason: string; readonly message: string }>> = {
  idle: { reason: "IdleTimeout", message: "nothing ran in it for as long as --idle-timeout says" },
  max_lifetime: { reason: "LifetimeOver", message: "it ran for as long as --max-lifetime says" },
};

/** A sandbox has nothing more to do: it is deleted if it was not to be kept, else it is stopped when its time is over. */
export async function sandboxFinished(context: GatewayContext, record: SandboxRecord, finished: string): Promise<void> {
  if (record.desired !== "running" || record.status.phase === SandboxPhase.DELETING) return;
  if (record.spec.lifetime?.ephemeral) await deleteSandbox(context, record);
  else if (finished !== "command") await stopSandbox(context, record, whyEnded[finished]);
}
