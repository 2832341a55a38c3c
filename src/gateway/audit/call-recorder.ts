/** Keeps what users ask of the gateway in its own log, hands it to the exports, and tells who follows. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { ApiActivity } from "../../ocsf/classes/api-activity.ts";
import type { Reporter } from "../../ocsf/event-head.ts";
import { gatewayDevice } from "../../ocsf/objects/device.ts";
import { RepeatedEvents } from "../../ocsf/repeated-events.ts";
import { writeEvent } from "../../ocsf/write-jsonl.ts";
import type { GatewayContext } from "../context.ts";
import { workspaceName } from "../workspaces/workspace.ts";
import { type AuditedCall, callEvent, callKind } from "./call-event.ts";
import type { CallRecorder } from "./record-calls.ts";

/** What changes of the gateway's own log are published under, in the place of a sandbox's id. */
export const GATEWAY_LOG = "";

type RecorderContext = Pick<GatewayContext, "store" | "exports" | "changes" | "registry" | "log" | "now" | "version">;

export class StoredCalls implements CallRecorder {
  readonly #context: RecorderContext;
  readonly #reporter: Promise<Reporter>;
  readonly #repeated: RepeatedEvents<ApiActivity>;

  /** @param name of the gateway's entry among the user's gateways */
  constructor(context: RecorderContext, name: string) {
    this.#context = context;
    this.#reporter = reporter(context, name);
    this.#repeated = new RepeatedEvents({ kindOf: callKind, write: (event) => void this.#store(event) });
  }

  async record(call: AuditedCall): Promise<void> {
    const event = callEvent(await this.#reporter, call, this.#context.now());
    if (call.refusal !== undefined && this.#repeated.counts(event)) return;
    await this.#store(event);
  }

  /** What was only counted so far. */
  flush(): void {
    this.#repeated.tell();
  }

  async #store(event: ApiActivity): Promise<void> {
    const { store, exports, changes, log } = this.#context;
    try {
      const sandbox = await this.#sandboxOf(event);
      const outgoing = await exports.outgoing({ id: sandbox?.id ?? GATEWAY_LOG, name: sandbox?.name ?? "" });
      const line = await store.callLog.append({ sandboxId: sandbox?.id ?? "", event: writeEvent(event) }, outgoing);
      if (outgoing !== undefined) exports.wake();
      if (sandbox !== undefined) changes.publish(sandbox.id, { kind: "logs", lines: [line] });
      changes.publish(GATEWAY_LOG, { kind: "logs", lines: [line] });
    } catch (error) {
      // The call has been decided, and mostly done: to fail it now would only hide that.
      log.error(`${event.api.operation} could not be put on record`, error);
    }
  }

  /** The sandbox in whose log the call is shown, too. One that is deleted just now is not there any more, nor is its log. */
  async #sandboxOf({
    resources = [],
  }: ApiActivity): Promise<{ readonly id: string; readonly name: string } | undefined> {
    const { store, registry } = this.#context;
    const [named] = resources.filter(({ type }) => type === "sandbox");
    if (named?.uid !== undefined) return await registry.look(named.uid);
    if (named?.name === undefined) return undefined;
    return await store.sandboxes.getByName(workspaceName(named.namespace ?? ""), named.name);
  }
}

async function reporter({ store, version }: RecorderContext, name: string): Promise<Reporter> {
  const uid = await store.callLog.id();
  const device = gatewayDevice({ uid, name, instanceId: randomUUID(), hostname: hostname() });
  return { productVersion: version, device };
}
