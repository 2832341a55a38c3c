/** Looks for placeholders in a body as it passes, for one that has no business there. */
import type { Refusal } from "../connection.ts";
import type { Credentials } from "./credentials.ts";
import { type CredentialPlace, problemWith } from "./put-in-place.ts";

export class BodyWatch {
  readonly #credentials: Credentials;
  readonly #place: CredentialPlace;
  /** The end of what has passed: a placeholder may come in two pieces. */
  #tail = "";
  #refusal: Refusal | undefined;

  constructor(credentials: Credentials, place: CredentialPlace) {
    this.#credentials = credentials;
    this.#place = place;
  }

  /** Why the body must not go on. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Looks at the next piece, before it is forwarded. */
  look(piece: Buffer): void {
    const text = this.#tail + piece.toString("latin1");
    for (const placeholder of this.#credentials.pattern.find(text)) {
      const credential = this.#credentials.of(placeholder);
      // One that goes where it belongs, and is only not replaced there, tells nobody anything.
      const problem = credential && problemWith(credential, this.#place);
      if (problem?.refused === "credential.endpoint_mismatch") this.#refusal = problem;
    }
    this.#tail = text.slice(-(this.#credentials.pattern.longest - 1));
  }
}
