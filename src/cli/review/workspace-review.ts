/** A review as it comes from the gateway. Names and contents in it are a sandbox's. */
import type {
  ReviewDetailJson,
  ReviewWorkspaceEventJson,
  WorkspaceChangeJson,
} from "../../gen/openshell/v1/review_pb.ts";
import type { Gateway } from "../api/gateway.ts";
import { reviewWorkspace } from "../api/review-methods.ts";
import { CommandFailure } from "../command-failure.ts";
import type { AskedReview } from "./asked-review.ts";

export interface ReviewedChange extends WorkspaceChangeJson {
  readonly path: string;
}

/** Where the folder is on the gateway's machine, and the changes, each with its data. */
export interface Review {
  readonly host: string;
  readonly changes: AsyncIterable<{ readonly change: ReviewedChange; readonly data: AsyncIterable<Buffer> }>;
}

/** Throws RpcError. */
export async function openReview(
  asked: AskedReview,
  { detail, includeGit }: { readonly detail: ReviewDetailJson; readonly includeGit: boolean | undefined },
  gateway: Gateway,
): Promise<Review> {
  const request = { ...asked, paths: [...asked.paths], detail, includeGit: includeGit === true };
  const events = gateway.channel.serverStream(reviewWorkspace, request)[Symbol.asyncIterator]();
  const first = await events.next();
  if (first.done || !first.value.folder) throw new CommandFailure("the gateway did not say which folder it is about");
  return { host: first.value.folder.host ?? "", changes: grouped(events) };
}

/** The data of a change are read before the next change, or passed over. */
async function* grouped(events: AsyncIterator<ReviewWorkspaceEventJson>): AsyncGenerator<{
  readonly change: ReviewedChange;
  readonly data: AsyncIterable<Buffer>;
}> {
  let next = await events.next();
  while (!next.done) {
    const { change } = next.value;
    if (!change) throw new CommandFailure("the gateway sent data that belong to no change");
    async function* data(): AsyncGenerator<Buffer> {
      for (;;) {
        next = await events.next();
        if (next.done || next.value.data === undefined) return;
        yield Buffer.from(next.value.data, "base64");
      }
    }
    const own = data();
    yield { change: { ...change, path: change.path ?? "" }, data: own };
    for await (const _ of own);
  }
}
