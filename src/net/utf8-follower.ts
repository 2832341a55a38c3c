/** Whether bytes that come in pieces are UTF-8, without keeping them. */
import { isUtf8 } from "node:buffer";

const nothing: Buffer = Buffer.alloc(0);

export class Utf8Follower {
  /** The beginning of a character of which the rest has not come; at most three bytes. */
  #begun: Buffer = nothing;

  /** Takes the next piece; false if no continuation could make the whole valid any more. */
  advance(piece: Buffer): boolean {
    const text = this.#begun.length === 0 ? piece : Buffer.concat([this.#begun, piece]);
    const whole = text.length - unfinishedLength(text);
    // A copy: a view would keep all of the piece in memory.
    this.#begun = whole === text.length ? nothing : Buffer.from(text.subarray(whole));
    return isUtf8(text.subarray(0, whole)) && couldBegin(this.#begun);
  }

  /** Ends the text; false if it ends inside of a character. Then another text may follow. */
  end(): boolean {
    const isComplete = this.#begun.length === 0;
    this.#begun = nothing;
    return isComplete;
  }
}

/** How many bytes at the end begin a character that needs more of them (RFC 3629 section 3). */
function unfinishedLength(text: Buffer): number {
  for (let back = 1; back <= Math.min(3, text.length); back++) {
    const byte = text[text.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < sequenceLength(byte) ? back : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

/** Whether some character begins so. The second byte alone tells overlong forms, surrogates and what is above U+10FFFF. */
function couldBegin(begun: Buffer): boolean {
  const [lead, ...rest] = begun;
  if (lead === undefined) return true;
  const completions = [0x80, 0x90, 0xa0].map((second) => [lead, ...(rest.length > 0 ? rest : [second])]);
  return completions.some((bytes) => isUtf8(Buffer.from([...bytes, 0x80, 0x80].slice(0, sequenceLength(lead)))));
}
