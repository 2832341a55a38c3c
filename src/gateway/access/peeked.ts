/** A stream's first message, and the stream with all of them. */
export async function peeked<T>(
  messages: AsyncIterable<T>,
): Promise<{ readonly first: T | undefined; readonly all: AsyncIterable<T> }> {
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return { first: undefined, all: none() };
  return { first: first.value, all: startingWith(first.value, iterator) };
}

async function* none(): AsyncGenerator<never> {}

async function* startingWith<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield first;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    // `yield*` passes a return on, but not one that comes at the first message.
    await rest.return?.();
  }
}
