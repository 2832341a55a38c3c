/** Masks bytes that come in pieces as if they had come whole. Only what may be the beginning of a secret waits for more. */
import type { Echoes } from "./echoes.ts";

const nothing = Buffer.alloc(0);

export class EchoFollower {
  readonly #echoes: Echoes;
  #held = "";

  constructor(echoes: Echoes) {
    this.#echoes = echoes;
  }

  /** Takes the next piece; gives what can be said. */
  push(piece: Buffer): Buffer {
    const text = this.#held + piece.toString("latin1");
    const { masked, held } = this.#echoes.follow(text);
    const isAsItCame = this.#held === "" && masked === text;
    this.#held = held;
    return isAsItCame ? piece : Buffer.from(masked, "latin1");
  }

  /** What was held, now that nothing follows. */
  end(): Buffer {
    const rest = this.#held === "" ? nothing : Buffer.from(this.#echoes.masked(this.#held), "latin1");
    this.#held = "";
    return rest;
  }
}
