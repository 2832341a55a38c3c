/** Sees that the gateway's engine has the image that a sandbox is to be made from, and tells of what that takes. */
import { join } from "node:path";
import type { BuildImageRequestJson, ImageEventJson } from "../../gen/openshell/v1/image_pb.ts";
import { type Listener, pack } from "../../transfer/pack.ts";
import { walkTree } from "../../transfer/walk-tree.ts";
import type { Duplex } from "../api/channel.ts";
import type { Gateway } from "../api/gateway.ts";
import { buildImage, pullImage } from "../api/image-methods.ts";
import { RpcError } from "../api/rpc-error.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { printableLine } from "../output/printable.ts";
import type { AskedImage } from "./asked-image.ts";
import { type IgnoredFiles, ignoredFilesOf } from "./ignored-files.ts";

/** Of a build that failed: enough to see the command and what it said. */
const LAST_LINES = 20;
/** Sockets and the like are no part of an image. */
const nobody: Listener = { packed() {}, leftOut() {} };

interface Reach {
  readonly gateway: Gateway;
  readonly context: CommandContext;
  /** Standard error is for a program: what the engine says is told only with what goes wrong. */
  readonly isQuiet: boolean;
}

/** @returns what to call it. Throws CommandFailure and RpcError. */
export async function provideImage(asked: AskedImage, reach: Reach): Promise<string> {
  const { channel } = reach.gateway;
  if (asked.kind === "image") {
    const request = { image: asked.image, workspace: reach.context.globals.workspace };
    return await followed(channel.serverStream(pullImage, request), reach);
  }
  if (!reach.isQuiet) reach.context.note(`building ${join(asked.folder, asked.dockerfile)}`);
  const call = channel.duplex(buildImage);
  const over = new AbortController();
  const sending = sendFolder(asked, call, over.signal);
  try {
    return await followed(call, reach);
  } catch (error) {
    over.abort();
    call.cancel();
    throw (await sending) ?? error;
  }
}

/** Sends until the engine has all of it, or it is over. @returns what is wrong with the folder, which ends the call. */
async function sendFolder(
  { folder, dockerfile }: Extract<AskedImage, { readonly kind: "build" }>,
  call: Duplex<BuildImageRequestJson, ImageEventJson>,
  over: AbortSignal,
): Promise<CommandFailure | undefined> {
  try {
    const paths = sentPaths(folder, dockerfile, ignoredFilesOf(folder));
    call.send({ start: { dockerfile } });
    for await (const piece of pack({ root: folder, name: ".", paths }, nobody)) {
      if (over.aborted) return undefined;
      if (!call.send({ context: piece.toString("base64") })) await call.drained();
    }
    call.end();
    return undefined;
  } catch (error) {
    call.cancel();
    return new CommandFailure(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The Dockerfile is needed to build, whether or not it may be copied into the image. */
async function* sentPaths(folder: string, dockerfile: string, ignored: IgnoredFiles): AsyncGenerator<string> {
  for await (const path of walkTree(folder, "", (below) => !ignored.ignoresAllBelow(below))) {
    if (path !== "" && (path === dockerfile || !ignored.ignores(path))) yield path;
  }
}

async function followed(events: AsyncIterable<ImageEventJson>, { context, isQuiet }: Reach): Promise<string> {
  const lines: string[] = [];
  try {
    for await (const { line, image } of events) {
      if (image !== undefined) return image;
      const shown = printableLine(line ?? "");
      if (isQuiet) lines.push(shown);
      else context.note(shown);
    }
  } catch (error) {
    if (!(error instanceof RpcError) || lines.length === 0) throw error;
    throw new CommandFailure(`${error.message}\n${lines.slice(-LAST_LINES).join("\n")}`, { code: error.code });
  }
  throw new CommandFailure("the gateway did not say which image it has");
}
