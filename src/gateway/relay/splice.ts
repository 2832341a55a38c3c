/** A call whose messages are pieces of a byte stream, and the channel that they go to and come from. */
import type { Duplex } from "node:stream";

/** What such messages have in common. */
interface Piece {
  readonly payload: { readonly case?: string | undefined; readonly value?: unknown };
}

export interface Splice<F> {
  /** The caller's messages after the first. */
  readonly frames: AsyncIterator<F>;
  readonly frameOf: (data: Uint8Array) => F;
}

/**
 * Bytes both ways, at the pace of the slower side; gives the caller's answers. Each direction ends by itself.
 * @returns whether both have ended; false if the channel broke
 */
export async function* splice<F extends Piece>(
  channel: Duplex,
  { frames, frameOf }: Splice<F>,
): AsyncGenerator<F, boolean> {
  // Without a listener an error that comes when nobody reads would end the process.
  channel.on("error", () => {});
  const closed = new Promise<void>((resolve) => channel.once("close", resolve));
  const feeding = feed(channel, frames).catch(() => channel.destroy());
  try {
    // A plain `for await` destroys the whole channel at the end of one direction, while the other may go on.
    for await (const data of channel.iterator({ destroyOnReturn: false })) yield frameOf(data as Buffer);
    await Promise.race([feeding, closed]);
    return !channel.errored;
  } catch (error) {
    if (channel.destroyed) return false;
    throw error;
  } finally {
    channel.destroy();
  }
}

async function feed<F extends Piece>(channel: Duplex, frames: AsyncIterator<F>): Promise<void> {
  for (let next = await frames.next(); !next.done; next = await frames.next()) {
    const { payload } = next.value;
    if (payload.case !== "data" || channel.write(payload.value) || channel.destroyed) continue;
    await new Promise<void>((resolve) => channel.once("drain", resolve).once("close", resolve));
  }
  channel.end();
}
