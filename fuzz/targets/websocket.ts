/** WebSockets: whatever both peers say, the session ends, and an upstream hears no text that was not judged. */
import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import { ByteReader } from "../../src/net/byte-reader.ts";
import { type MessageKind, WebsocketFollower } from "../../src/net/websocket-follower.ts";
import type { MessageJudge } from "../../src/supervisor/egress/08-inspect/websocket/judge-messages.ts";
import { serveWebsocket } from "../../src/supervisor/egress/08-inspect/websocket/session.ts";
import type { FuzzTarget } from "../target.ts";

const noMask = Buffer.alloc(4);
const said = (first: number, payload: string) =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length]), noMask, Buffer.from(payload, "latin1")]);
const heard = (first: number, payload: string) =>
  Buffer.concat([Buffer.from([first, payload.length]), Buffer.from(payload, "latin1")]);
const goodbye = "\u0003\u00e8";

/** Passes everything, and counts the messages. */
function countingJudge(judged: MessageKind[]) {
  return {
    begin: (kind: MessageKind) => {
      judged.push(kind);
      return { kind: "pass" };
    },
    revoked: () => undefined,
    recordBroken: () => undefined,
  };
}

export const websocket: FuzzTarget = {
  name: "websocket",
  seeds: [
    Buffer.concat([said(0x81, "hello"), said(0x82, "bytes"), said(0x88, goodbye)]),
    Buffer.concat([said(0x01, "in "), said(0x89, "ping"), said(0x80, "pieces"), said(0x8a, "")]),
    Buffer.concat([heard(0x81, "hello"), heard(0x89, ""), heard(0x88, goodbye)]),
    Buffer.concat([heard(0x02, "in "), heard(0x80, "pieces")]),
  ],
  tokens: ["\u0081\u0085", "\u0000\u0080", "\u0080\u0000", "\u0081\u00fe\u0001\u0000", "\u0088\u0002", "\u00ff\u00ff"],
  async check(input) {
    const judged: MessageKind[] = [];
    const [client, clientSide] = duplexPair();
    const [upstream, upstreamSide] = duplexPair();
    const received: Buffer[] = [];
    client.resume();
    upstream.on("data", (piece: Buffer) => received.push(piece));
    const ended = serveWebsocket({
      client: new ByteReader(clientSide),
      upstream: new ByteReader(upstreamSide),
      judge: countingJudge(judged) as unknown as MessageJudge,
      signal: new AbortController().signal,
    });
    for (const peer of [client, upstream]) {
      peer.on("error", () => {});
      peer.end(input);
    }
    await ended;
    const passed = messagesIn(Buffer.concat(received));
    assert.deepEqual(passed, judged.slice(0, passed.length));
  },
};

/** The messages that begin in what the upstream heard, all of which has to be well formed. */
function messagesIn(bytes: Buffer): readonly MessageKind[] {
  const follower = new WebsocketFollower("client");
  const messages: MessageKind[] = [];
  let rest = Buffer.from(bytes);
  for (;;) {
    const event = follower.next(rest);
    assert.notEqual(event.kind, "malformed");
    if (event.kind === "incomplete" || event.kind === "malformed") return messages;
    if (event.kind === "frame" && event.header.opcode !== 0) messages.push(event.message);
    rest = rest.subarray(event.size);
  }
}
