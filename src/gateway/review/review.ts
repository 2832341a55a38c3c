/** What a sandbox has changed in its workspace, as the API tells it: the changes, and after each what was asked for. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type FileState as FileStateMessage,
  FileStateSchema,
  ReviewDetail,
  type ReviewWorkspaceEvent,
  ReviewWorkspaceEventSchema,
  type ReviewWorkspaceRequest,
} from "../../gen/openshell/v1/review_pb.ts";
import { type Change, changes } from "../../workspace/changes.ts";
import type { FileState } from "../../workspace/file-state.ts";
import { FolderRecord } from "../../workspace/folder-record.ts";
import { withoutGit } from "../../workspace/git-internals.ts";
import { patch } from "../../workspace/patch.ts";
import type { GatewayContext } from "../context.ts";
import { workspaceFolder } from "../folders/requests.ts";
import { failedPrecondition, invalid } from "../refuse.ts";
import { placementOf, type SandboxRecord } from "../store/store.ts";

/** What goes into one message; a multiple of what a file system reads at once. */
const PIECE_BYTES = 256 * 1024;
/** Paths of one request. */
const MAX_PATHS = 1_000;

/** Throws FAILED_PRECONDITION for a sandbox without a workspace, INVALID_ARGUMENT for a bad path. */
export async function* review(
  context: GatewayContext,
  sandbox: SandboxRecord,
  { paths, detail, includeGit }: Pick<ReviewWorkspaceRequest, "paths" | "detail" | "includeGit">,
): AsyncGenerator<ReviewWorkspaceEvent> {
  const { host, target } = requireWorkspaceFolder(sandbox);
  requirePaths(paths);
  const { upper, record: recordPath } = context.driver.layer(placementOf(sandbox), target);
  yield event({ case: "folder", value: { host, target } });
  using record = FolderRecord.open(recordPath);
  const all = changes({ folder: host, upper, record }, paths);
  for await (const change of includeGit ? all : withoutGit(all, paths)) {
    yield event({ case: "change", value: message(change) });
    for await (const data of dataOf(change, detail)) yield event({ case: "data", value: data });
  }
}

export function requireWorkspaceFolder({ name, spec }: SandboxRecord): {
  readonly host: string;
  readonly target: string;
} {
  const folder = workspaceFolder(spec);
  if (folder) return folder;
  throw failedPrecondition(`sandbox "${name}" has no workspace: it was created without --workspace FOLDER`);
}

/** Relative, without steps that lead anywhere but down. */
export function requirePaths(paths: readonly string[]): void {
  if (paths.length > MAX_PATHS) throw invalid(`${paths.length} paths; at most ${MAX_PATHS}`);
  const bad = paths.find((path) => path.split("/").some((step) => step === "" || step === "." || step === ".."));
  if (bad !== undefined) throw invalid(`"${bad}" must be a path relative to the workspace, without "." and ".."`);
}

async function* dataOf(change: Change, detail: ReviewDetail): AsyncGenerator<Buffer> {
  if (change.obstacle !== undefined) return;
  if (detail === ReviewDetail.PATCH) yield* inPieces(patch(change));
  else if (detail === ReviewDetail.CONTENTS && change.after?.kind === "file") yield* contents(change);
}

/** Up to the size that was told: what is appended meanwhile is not part of it. */
async function* contents(change: Change): AsyncGenerator<Buffer> {
  await using file = await change.open("after");
  const size = change.after?.size ?? 0;
  for (let at = 0; at < size; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at));
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw failedPrecondition(`${change.path} became shorter while it was read; ask again`);
    at += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/** Lines as messages of their own would cost more than they hold. */
async function* inPieces(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const line of lines) {
    pieces.push(line);
    length += line.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(pieces);
    [pieces, length] = [[], 0];
  }
  if (length > 0) yield Buffer.concat(pieces);
}

function message({ path, before, after, conflict, obstacle = "" }: Change) {
  return {
    // A name that is no Unicode can't be said in a message.
    path: path.toWellFormed(),
    conflict,
    obstacle,
    ...(before && { before: stateMessage(before) }),
    ...(after && { after: stateMessage(after) }),
  };
}

function stateMessage({ mode, size, mtimeNs, inode, linkTarget }: FileState): FileStateMessage {
  return create(FileStateSchema, { mode, size: BigInt(size), mtimeNs, inode, linkTarget });
}

function event(payload: NonNullable<MessageInitShape<typeof ReviewWorkspaceEventSchema>["payload"]>) {
  return create(ReviewWorkspaceEventSchema, { payload });
}
