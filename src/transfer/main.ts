/**
 * The sandbox's end of `openshell sandbox upload` and `download`, started there by the CLI:
 *
 *     receive DESTINATION NAME KEY    a sealed archive on standard input becomes files; says first what it has of an
 *                                     earlier copy with the same key
 *     send PATH NAME [total]          files become a sealed archive on standard output, without what standard input offers,
 *                                     a line of JSON each, to its end; says first how much it will be
 *
 * It runs on the sandbox's own Node, and so needs no `tar` and no shell of whatever the sandbox shows. It has the rights of
 * every program in there: policy, Landlock and user decide what it can read and write. Reports are lines of JSON on standard
 * error.
 */
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { type Offer, readOffer } from "./offer.ts";
import { type Listener, pack } from "./pack.ts";
import type { Report } from "./report.ts";
import { seal, unseal } from "./sealed-stream.ts";
import { openSource } from "./source.ts";
import { TransferFailure } from "./transfer-failure.ts";
import { unpack } from "./unpack.ts";

const [, , verb, path = "", name = "", more] = process.argv;

/** Nothing of it is to stay. */
let isUnwanted = false;

async function main(): Promise<void> {
  let files = 0;
  let bytes = 0;
  const listener: Listener = {
    packed: (entry) => {
      files += entry.isFile ? 1 : 0;
      bytes += entry.bytes;
    },
    leftOut: (leftOut, why) => report({ leftOut, why }),
  };
  try {
    if (verb === "receive") await receive(more ?? "", listener);
    else if (verb === "send") await send(listener);
    else throw new TransferFailure(`the sandbox does not know how to "${verb}"`, "use an openshell of its version");
    report({ files, bytes });
  } catch (error) {
    const hint = error instanceof TransferFailure ? error.hint : undefined;
    report({ error: error instanceof Error ? error.message : `${error}`, ...(hint !== undefined && { hint }) });
    process.exitCode = 1;
  } finally {
    // More may come of what is refused already.
    process.stdin.destroy();
  }
}

async function receive(key: string, listener: Listener): Promise<void> {
  const resumption = {
    key,
    offer: async (offers: AsyncIterable<Offer>) => {
      for await (const offer of offers) report({ offer });
      report({ ready: true });
    },
    isKept: () => !isUnwanted,
  };
  await unpack(unseal(process.stdin), { path, name, links: "anywhere", resumption }, listener);
}

async function send(listener: Listener): Promise<void> {
  const offers = new Map<string, Offer>();
  for await (const line of createInterface({ input: process.stdin })) {
    const offer = readOffer(JSON.parse(line));
    if (offer) offers.set(offer.path, offer);
  }
  const source = await openSource(path, name);
  if (more !== undefined) report({ total: await source.bytes() });
  await pipeline(seal(pack(source, listener, offers)), process.stdout);
}

function report(line: Report): void {
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

// Whoever asked for it went away, and may come back: the input breaks off.
process.on("SIGHUP", () => process.stdin.destroy(new TransferFailure("interrupted; nothing was changed")));
// A user broke it off.
process.on("SIGINT", () => {
  isUnwanted = true;
  process.stdin.destroy(new TransferFailure("interrupted; nothing was changed"));
});
void main();
