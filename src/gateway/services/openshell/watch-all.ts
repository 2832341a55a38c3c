import { SandboxPhase } from "../../../gen/openshell/v1/sandbox_pb.ts";
import type { SandboxStreamEvent, WatchSandboxesRequest } from "../../../gen/openshell/v1/watch_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { ChangeQueue } from "../../sandboxes/change-queue.ts";
import { isSelected, parseLabelSelector } from "../../sandboxes/label-selector.ts";
import { sandboxMessage } from "../../sandboxes/sandbox-message.ts";
import type { SandboxRecord } from "../../store/store.ts";
import { workspaceName } from "../../workspaces/workspace.ts";
import type { Methods } from "./methods.ts";
import { event, missedEvent } from "./watch.ts";

/** Following all sandboxes of a place. */
export function watchAllMethods(context: GatewayContext): Methods {
  return { watchSandboxes: (request, { signal }) => watchAll(context, request, signal) };
}

type Change =
  | { readonly kind: "record"; readonly record: SandboxRecord }
  | { readonly kind: "removed"; readonly id: string };

async function* watchAll(
  context: GatewayContext,
  { workspace, allWorkspaces, labelSelector }: WatchSandboxesRequest,
  signal: AbortSignal,
): AsyncGenerator<SandboxStreamEvent> {
  const labels = parseLabelSelector(labelSelector);
  const place = allWorkspaces ? undefined : workspaceName(workspace);
  const isMeant = (record: SandboxRecord) =>
    (place === undefined || record.workspace === place) && isSelected(record.labels, labels);
  // From before the first answer, so that nothing falls between what is stored and what is new.
  using changes = new ChangeQueue<Change>((listener) => subscribe(context, listener), [signal, context.signal]);
  const known = new Map<string, SandboxRecord>();
  for (const record of (await context.store.sandboxes.all()).filter(isMeant)) {
    known.set(record.id, record);
    yield event({ case: "sandbox", value: sandboxMessage(record) });
  }
  for (let change = await changes.next(); change !== undefined; change = await changes.next()) {
    if (change.kind === "missed") yield missedEvent(change);
    else if (change.kind === "removed") {
      const gone = known.get(change.id);
      known.delete(change.id);
      if (gone !== undefined) yield event({ case: "sandbox", value: removedMessage(gone, context.now()) });
    } else if (isMeant(change.record)) {
      known.set(change.record.id, change.record);
      yield event({ case: "sandbox", value: sandboxMessage(change.record) });
    }
  }
}

/** Without log lines, which would only fill the queue. */
function subscribe({ changes }: GatewayContext, listener: (change: Change) => void): () => void {
  return changes.subscribeAll((id, change) => {
    if (change.kind === "record") listener(change);
    if (change.kind === "removed") listener({ kind: "removed", id });
  });
}

function removedMessage(record: SandboxRecord, nowMs: number) {
  const message = sandboxMessage(record);
  if (message.metadata) message.metadata.deletionTimestampMs = BigInt(nowMs);
  if (message.status) message.status = { ...message.status, phase: SandboxPhase.DELETING };
  return message;
}
