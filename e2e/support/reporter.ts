/**
 * Node's reporter for people, which also says what is in a SuppressedError: a test that failed, and then failed to clean up,
 * shows nothing else, and neither of the two failures.
 */
import { Readable } from "node:stream";
import type { TestEvent } from "node:test/reporters";
import { spec } from "node:test/reporters";

// biome-ignore lint/style/noDefaultExport: node:test(1) takes a reporter as the default export of its module.
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(withBoth(events)).pipe(new spec());
}

async function* withBoth(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of events) {
    if (event.type === "test:fail") {
      const { error } = event.data.details;
      if (isSuppressed(error.cause)) error.cause = Object.assign(new Error(), { stack: toldWhole(error.cause) });
    }
    yield event;
  }
}

/** By its properties: it has come from another process, where it was of its class. */
function isSuppressed(error: unknown): error is SuppressedError {
  return error instanceof Error && "suppressed" in error && "error" in error;
}

/** The first failure first. */
function toldWhole(error: unknown): string {
  if (isSuppressed(error)) {
    return `${toldWhole(error.suppressed)}\n\nand then, as it was cleaned up:\n${toldWhole(error.error)}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
