/**
 * Step 9 for what an upstream says over a WebSocket, where the endpoint masks credentials: secrets that it echoes become again
 * what stands for them.
 * Takes  the upstream's frames as they come.
 * Gives  each message whole, in one frame, since a secret may be cut by frames anywhere; control frames in between.
 * Refuses credential.unmaskable for a message that is too long to be held.
 */
import type { FrameEvent } from "../../../../net/websocket-follower.ts";
import { maxControlPayload, type Opcode, opcodes } from "../../../../net/websocket-frame.ts";
import { maskedBodyBytes, type ResponseMask, unmaskable } from "../../09-credential/response-mask.ts";
import type { Refusal } from "../../connection.ts";
import { CollectedMessage } from "./collected-message.ts";

export interface MaskedFrame {
  readonly opcode: Opcode;
  readonly payload: Buffer;
}

export class MaskedMessages {
  readonly #mask: ResponseMask;
  #opcode: Opcode = opcodes.text;
  #message = new CollectedMessage(maskedBodyBytes);

  constructor(mask: ResponseMask) {
    this.#mask = mask;
  }

  /** Takes what comes next; gives the frame to pass on, if one is whole, or why none can be. */
  take(event: Exclude<FrameEvent, { kind: "incomplete" | "malformed" }>): MaskedFrame | Refusal | undefined {
    switch (event.kind) {
      case "control": {
        const payload = this.#mask.body(event.payload);
        if (payload.length <= maxControlPayload) return { opcode: event.opcode, payload };
        return unmaskable("has a control frame that is too long once it is masked");
      }
      case "frame":
        if (event.header.opcode !== opcodes.continuation) this.#begin(event.header.opcode);
        return undefined;
      case "payload":
        if (!this.#message.add(event.bytes)) return unmaskable(`has a message of more than ${maskedBodyBytes} bytes`);
        return event.ends === "message" ? this.#whole() : undefined;
      default:
        return event satisfies never;
    }
  }

  #begin(opcode: Opcode): void {
    this.#opcode = opcode;
    this.#message = new CollectedMessage(maskedBodyBytes);
  }

  #whole(): MaskedFrame {
    const payload = this.#mask.body(this.#message.whole);
    this.#message = new CollectedMessage(maskedBodyBytes);
    return { opcode: this.#opcode, payload };
  }
}
