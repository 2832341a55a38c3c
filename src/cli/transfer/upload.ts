/**
 * From this machine into a sandbox.
 */
import { hostname } from "node:os";
import { type Listener, type Offers, pack, type Source } from "../../transfer/pack.ts";
import { seal } from "../../transfer/sealed-stream.ts";
import { copyName, openSource } from "../../transfer/source.ts";
import { walkTree } from "../../transfer/walk-tree.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { holdInterruptions } from "../hold-interruptions.ts";
import { gitFiles, isInWorkTree } from "./git-files.ts";
import { copyKey, wentOnNote } from "./gone-on-with.ts";
import { showProgress } from "./progress.ts";
import { copyFailure, leftOutNote, SandboxEnd, type Totals } from "./sandbox-end.ts";

export interface Upload {
  readonly local: string;
  /** Leave out what git ignores, where the folder is in a work tree. */
  readonly gitIgnore: boolean;
}

export interface Where {
  readonly sandboxId: string;
  /** A path in the sandbox, taken as cp(1) does; relative ones start at its working directory. */
  readonly destination: string;
}

/** Looks for what is to be copied. Throws CommandFailure if it is not there. */
export async function uploadSource({ local, gitIgnore }: Upload, context: CommandContext): Promise<Source> {
  // Listed twice where somebody watches, and told of once.
  const told = new Set<string>();
  const note = (text: string) => {
    if (!told.has(text)) context.note(text);
    told.add(text);
  };
  const list = (folder: string) => (gitIgnore ? notIgnored(folder, { ...context, note }) : walkTree(folder));
  try {
    return await openSource(local, copyName(local), list);
  } catch (error) {
    throw copyFailure(error);
  }
}

/** Copies all of it, or nothing. Throws CommandFailure, RpcError. */
export async function upload(
  source: Source,
  { destination, sandboxId }: Where,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<Totals> {
  const key = copyKey(hostname(), source.root, destination, source.name);
  const task = { sandboxId, verb: "receive", path: destination, name: source.name, key } as const;
  const end = new SandboxEnd(task, gateway, context.note);
  // The program removes what it has: a user who broke it off does not come back for it.
  using interruption = holdInterruptions(context.signals, () => end.call.signal("SIGINT"));
  using progress = showProgress("uploaded", context);
  if (progress.isShown) progress.expect(await source.bytes());
  let [files, skipped] = [0, 0];
  const listener: Listener = {
    packed: ({ isFile }) => {
      files += isFile ? 1 : 0;
    },
    leftOut: (path, why) => context.note(leftOutNote(path, why)),
    skipped: (bytes) => {
      skipped += bytes;
      progress.skip(bytes);
    },
  };
  const sending = send((offers) => progress.through(seal(pack(source, listener, offers))), end);
  try {
    for await (const _ of end.output());
  } catch (error) {
    throw copyFailure((await sending) ?? error, interruption);
  }
  await sending;
  if (skipped > 0) context.note(wentOnNote(skipped));
  if (end.totals?.files !== files) throw new CommandFailure(`${files} files were sent, not all of them arrived`);
  return end.totals;
}

/** Sends until the program takes no more. @returns what went wrong here, if anything did; the program then gets no end. */
async function send(archive: (offers: Offers) => AsyncIterable<Uint8Array>, end: SandboxEnd): Promise<unknown> {
  try {
    for await (const data of archive(await end.offers())) {
      if (end.isOver) return undefined;
      if (!end.call.write(data)) await end.call.drained();
    }
    end.call.endInput();
    return undefined;
  } catch (error) {
    end.call.cancel();
    return error;
  }
}

/** Falls back to all files: whoever names a folder of ignored files means those. */
async function* notIgnored(folder: string, context: CommandContext): AsyncGenerator<string> {
  if (!isInWorkTree(folder)) return yield* walkTree(folder);
  let isEmpty = true;
  for await (const path of gitFiles(folder, context.environment)) {
    isEmpty = false;
    yield path;
  }
  if (!isEmpty) return;
  context.note(`note: git ignores all that is in ${folder}; it is copied nevertheless`);
  yield* walkTree(folder);
}
