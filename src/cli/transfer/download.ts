/**
 * From a sandbox to this machine. What arrives is whatever the sandbox's programs want it to be; unpack.ts sees to it that it
 * stays where it was asked for.
 */
import { resolve } from "node:path";
import type { ExecCall } from "../../net/exec-call.ts";
import type { Offer } from "../../transfer/offer.ts";
import { unseal } from "../../transfer/sealed-stream.ts";
import { copyName } from "../../transfer/source.ts";
import { unpack } from "../../transfer/unpack.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { holdInterruptions } from "../hold-interruptions.ts";
import { copyKey, wentOnNote } from "./gone-on-with.ts";
import { showProgress } from "./progress.ts";
import { copyFailure, leftOutNote, MAX_LEFT_OUT_TOLD, SandboxEnd, type Totals } from "./sandbox-end.ts";

export interface Download {
  readonly sandboxId: string;
  /** In the sandbox; relative ones start at its working directory. */
  readonly path: string;
  /** On this machine, taken as cp(1) does. */
  readonly destination: string;
}

/** Copies all of it, or nothing, but for links that may lead out. Throws CommandFailure, RpcError. */
export async function download(
  { sandboxId, path, destination }: Download,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<Totals & { readonly leftOut: number }> {
  const name = copyName(path);
  using progress = showProgress("downloaded", context);
  const onTotal = progress.isShown && { onTotal: (bytes: number) => progress.expect(bytes) };
  const end = new SandboxEnd({ sandboxId, verb: "send", path, name, ...onTotal }, gateway, context.note);
  using interruption = holdInterruptions(context.signals, () => end.call.cancel());
  let [files, bytes, leftOut, skipped] = [0, 0, 0, 0];
  const listener = {
    packed: (entry: { readonly isFile: boolean; readonly bytes: number }) => {
      files += entry.isFile ? 1 : 0;
      bytes += entry.bytes;
    },
    skipped: (had: number) => {
      skipped += had;
      progress.skip(had);
    },
    leftOut: (at: string, why: string) => {
      if (leftOut++ < MAX_LEFT_OUT_TOLD) context.note(leftOutNote(at, why));
    },
  };
  const resumption = {
    key: copyKey(sandboxId, path, resolve(destination)),
    offer: (offers: AsyncIterable<Offer>) => sendOffers(offers, end.call),
    isKept: () => interruption.exitCode === undefined,
  };
  try {
    const archive = progress.through(unseal(end.output()));
    await unpack(archive, { path: destination, name, links: "inside", resumption }, listener);
  } catch (error) {
    throw copyFailure(error, interruption);
  } finally {
    end.call.cancel();
  }
  if (end.totals?.files !== files + leftOut)
    throw new CommandFailure(`not all of the ${end.totals?.files} files arrived`);
  if (skipped > 0) context.note(wentOnNote(skipped));
  return { files, bytes, leftOut };
}

/** Tells the program what is here; it begins to send when that has come to its end. */
async function sendOffers(offers: AsyncIterable<Offer>, call: ExecCall): Promise<void> {
  for await (const offer of offers) {
    if (!call.write(Buffer.from(`${JSON.stringify(offer)}\n`))) await call.drained();
  }
  call.endInput();
}
