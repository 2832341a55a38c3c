/** Inputs for fuzzing: an entry of a corpus, changed in a few places. fast-check shrinks the number of changes. */
import fc from "fast-check";

type Change = (bytes: Buffer) => Buffer;

/** Bytes that parsers trip over. */
const treacherous = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2e, 0x2f, 0x3a, 0x3b, 0x5c, 0x7f, 0x80, 0xc0, 0xff];

/** An arbitrary for buffers near the corpus. `tokens`: words of the language, to be put in anywhere. */
export function mutated(corpus: readonly Buffer[], tokens: readonly string[]): fc.Arbitrary<Buffer> {
  const entry = fc.constantFrom(...corpus);
  return fc.tuple(entry, fc.array(change(entry, tokens), { maxLength: 6 })).map(([bytes, changes]) => {
    return changes.reduce((changed, apply) => apply(changed), bytes);
  });
}

function change(entry: fc.Arbitrary<Buffer>, tokens: readonly string[]): fc.Arbitrary<Change> {
  // A place as a fraction, as the length is known only when the change is made.
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const byte = fc.oneof(fc.constantFrom(...treacherous), fc.integer({ min: 0, max: 255 }));
  const token = fc.constantFrom(...tokens).map((text) => Buffer.from(text, "latin1"));
  const piece = fc.oneof(token, fc.uint8Array({ minLength: 1, maxLength: 8 }).map(Buffer.from));
  return fc.oneof(
    fc.tuple(place, byte).map(
      ([at, value]): Change =>
        (bytes) =>
          spliced(bytes, at, 1, Buffer.of(value)),
    ),
    fc.tuple(place, piece).map(
      ([at, inserted]): Change =>
        (bytes) =>
          spliced(bytes, at, 0, inserted),
    ),
    fc.tuple(place, fc.integer({ min: 1, max: 16 })).map(
      ([at, count]): Change =>
        (bytes) => {
          return spliced(bytes, at, count, Buffer.alloc(0));
        },
    ),
    fc.tuple(place, place).map(
      ([from, to]): Change =>
        (bytes) => {
          return Buffer.concat([bytes.subarray(0, index(bytes, from)), bytes.subarray(index(bytes, to))]);
        },
    ),
    fc.tuple(entry, place, place).map(
      ([other, head, tail]): Change =>
        (bytes) => {
          return Buffer.concat([bytes.subarray(0, index(bytes, head)), other.subarray(index(other, tail))]);
        },
    ),
  );
}

function spliced(bytes: Buffer, place: number, removed: number, inserted: Buffer): Buffer {
  const at = index(bytes, place);
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
}

function index(bytes: Buffer, place: number): number {
  return Math.floor(place * bytes.length);
}
