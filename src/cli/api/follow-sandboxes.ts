/** Sandboxes as they are and as they change, through however many gateways: each change once. */
import type { SandboxJson } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { SandboxStreamEventJson } from "../../gen/openshell/v1/watch_pb.ts";
import { type EachConnectionOptions, eachConnection } from "./each-connection.ts";
import type { Gateway } from "./gateway.ts";
import { RpcError } from "./rpc-error.ts";
import { type SandboxView, sandboxView } from "./sandbox-view.ts";

/** Which sandboxes are followed. */
export interface Followed {
  /** All of them, as they are now. */
  list(gateway: Gateway): Promise<readonly SandboxJson[]>;
  /** Their changes from now on. */
  watch(gateway: Gateway): AsyncIterable<SandboxStreamEventJson>;
}

export interface SandboxChange {
  readonly view: SandboxView;
  /** It is there no more. */
  readonly isDeleted: boolean;
}

/** What a gateway that has just started says, or a connection that broke. */
const passing: readonly string[] = ["unavailable", "canceled", "aborted", "unknown"];

/** Gives what has changed, all at first; ends with whoever reads. Throws what the gateway refuses, such as RpcError. */
export async function* followSandboxes(
  { list, watch }: Followed,
  first: Gateway,
  options: EachConnectionOptions,
): AsyncGenerator<readonly SandboxChange[]> {
  const known = new Map<string, SandboxView>();
  const news = (sandboxes: readonly SandboxJson[]) => sandboxes.flatMap((sandbox) => changeOf(sandbox, known) ?? []);
  for await (const gateway of eachConnection(first, options)) {
    try {
      const listed = await list(gateway);
      const ids = new Set(listed.map(({ metadata }) => metadata?.id));
      const gone = [...known.values()].filter(({ id }) => !ids.has(id));
      for (const { id } of gone) known.delete(id);
      yield [...gone.map((view) => ({ view, isDeleted: true })), ...news(listed)];
      // What changed between the two is what the watch begins with.
      for await (const { sandbox } of watch(gateway)) if (sandbox) yield news([sandbox]);
    } catch (error) {
      if (!(error instanceof RpcError) || !passing.includes(error.code)) throw error;
    }
  }
}

/** Undefined for one that is known to be so; those that are gone are forgotten. */
function changeOf(sandbox: SandboxJson, known: Map<string, SandboxView>): SandboxChange | undefined {
  const view = sandboxView(sandbox);
  const isDeleted = Number(sandbox.metadata?.deletionTimestampMs ?? 0) > 0;
  if (isDeleted) return known.delete(view.id) ? { view, isDeleted } : undefined;
  if ((known.get(view.id)?.resource_version ?? 0) >= view.resource_version) return undefined;
  known.set(view.id, view);
  return { view, isDeleted };
}
