/** Secrets that an upstream says over a WebSocket, in whatever frames. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { WebsocketFollower } from "../../../../net/websocket-follower.ts";
import { opcodes, serialiseFrameHeader } from "../../../../net/websocket-frame.ts";
import { Credentials } from "../../09-credential/credentials.ts";
import { maskedBodyBytes, ResponseMask } from "../../09-credential/response-mask.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import { type MaskedFrame, MaskedMessages } from "./masked-messages.ts";

const placeholder = "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const secret = "ghp_realSecretOfTheService00000000000000";
const credentials = new Credentials({ credentials: [{ provider: "hub", key: "TOKEN", placeholder, secret }] });

function frame(opcode: number, payload: Buffer, fin = true): Buffer {
  return Buffer.concat([serialiseFrameHeader({ fin, opcode: opcode as 0, length: payload.length }), payload]);
}

/** What comes of frames that arrive cut into pieces of these lengths. */
function masked(wire: Buffer, lengths: readonly number[]): (MaskedFrame | Refusal)[] {
  const follower = new WebsocketFollower("server");
  const messages = new MaskedMessages(new ResponseMask(credentials));
  const said: (MaskedFrame | Refusal)[] = [];
  let waiting = Buffer.alloc(0);
  let rest = Buffer.from(wire);
  for (let at = 0; rest.length > 0; at++) {
    const length = lengths[at % lengths.length] ?? 1;
    waiting = Buffer.concat([waiting, rest.subarray(0, length)]);
    rest = rest.subarray(length);
    for (let event = follower.next(waiting); event.kind !== "incomplete"; event = follower.next(waiting)) {
      assert.ok(event.kind !== "malformed");
      waiting = waiting.subarray(event.size);
      const taken = messages.take(event);
      if (taken !== undefined) said.push(taken);
    }
  }
  return said;
}

describe("messages of an upstream that repeats a secret", () => {
  it("have its placeholder instead, in whatever frames and pieces they come, and are otherwise what they were", () => {
    const part = fc.oneof(fc.constant(Buffer.from(secret)), fc.stringMatching(/^[ -~]{0,20}$/).map(Buffer.from));
    const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 });
    const property = fc.property(fc.array(part, { maxLength: 5 }), lengths, lengths, (parts, frames, pieces) => {
      const message = Buffer.concat(parts);
      const wire: Buffer[] = [];
      let at = 0;
      for (let index = 0; at < message.length || index === 0; index++) {
        const payload = message.subarray(at, at + (frames[index % frames.length] ?? 1));
        at += payload.length;
        wire.push(frame(index === 0 ? opcodes.text : opcodes.continuation, payload, at >= message.length));
        wire.push(frame(opcodes.ping, Buffer.from(secret)));
      }
      const said = masked(Buffer.concat(wire), pieces);
      const texts = said.filter((each): each is MaskedFrame => !isRefusal(each) && each.opcode === opcodes.text);
      const wanted = message.toString().replaceAll(secret, placeholder);
      assert.deepEqual(
        texts.map(({ payload }) => payload.toString()),
        [wanted],
      );
      assert.ok(!JSON.stringify(said.map((each) => !isRefusal(each) && each.payload.toString())).includes(secret));
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("are refused where one is longer than what is held", () => {
    const [last] = masked(frame(opcodes.binary, Buffer.alloc(maskedBodyBytes + 1)), [100_000]);
    assert.ok(last !== undefined && isRefusal(last));
    assert.equal(last.refused, "credential.unmaskable");
  });
});
