/**
 * The messages of ExecSandboxInteractive in protobuf's binary form, written out by hand. Output can be many megabytes, for
 * which JSON with base64 is too slow, and the generated code for these six messages would take longer to load than a short
 * command runs. A test holds this file against the generated code.
 */
import { mainService, type StreamMethod } from "./method.ts";

export interface ExecStart {
  readonly sandboxId: string;
  readonly command: readonly string[];
  readonly workdir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly terminal?: WindowSize;
}

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is said to a running command. */
export type ExecInput =
  | { readonly kind: "start"; readonly start: ExecStart }
  | { readonly kind: "stdin"; readonly data: Uint8Array }
  | { readonly kind: "resize"; readonly size: WindowSize }
  | { readonly kind: "close-stdin" }
  | { readonly kind: "signal"; readonly signal: string };

/** What a running command says; `unknown` is what a newer gateway may add. */
export type ExecEvent =
  | { readonly kind: "stdout" | "stderr"; readonly data: Uint8Array }
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "unknown" };

export const execSandboxInteractive: StreamMethod<ExecInput, ExecEvent> = {
  name: "ExecSandboxInteractive",
  service: mainService,
  encoding: { contentType: "application/connect+proto", encode: encodeInput, decode: decodeEvent },
};

/** Wire types (https://protobuf.dev/programming-guides/encoding). */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** openshell.v1.ExecSandboxInput. */
export function encodeInput(input: ExecInput): Uint8Array {
  switch (input.kind) {
    case "start":
      return bytesField(1, encodeStart(input.start));
    case "stdin":
      return bytesField(2, input.data);
    case "resize":
      return bytesField(3, Buffer.concat([numberField(1, input.size.columns), numberField(2, input.size.rows)]));
    case "close-stdin":
      return numberField(100, 1);
    case "signal":
      return textField(101, input.signal);
    default:
      return input satisfies never;
  }
}

/** openshell.v1.ExecSandboxRequest. */
function encodeStart(start: ExecStart): Uint8Array {
  const parts = [textField(1, start.sandboxId), ...start.command.map((word) => bytesField(2, Buffer.from(word)))];
  if (start.workdir !== undefined) parts.push(textField(3, start.workdir));
  for (const [name, value] of Object.entries(start.environment ?? {})) {
    parts.push(bytesField(4, Buffer.concat([textField(1, name), textField(2, value)])));
  }
  parts.push(numberField(5, start.timeoutSeconds ?? 0));
  if (start.terminal) {
    parts.push(numberField(7, 1), numberField(8, start.terminal.columns), numberField(9, start.terminal.rows));
  }
  return Buffer.concat(parts);
}

/** openshell.v1.ExecSandboxEvent. Throws on bytes that are not a protobuf message. */
export function decodeEvent(bytes: Uint8Array): ExecEvent {
  let event: ExecEvent = { kind: "unknown" };
  for (const [field, value] of fieldsOf(bytes)) {
    if (typeof value === "number") continue;
    if (field === 1 || field === 2) {
      event = { kind: field === 1 ? "stdout" : "stderr", data: firstBytes(value) };
    } else if (field === 3) {
      event = { kind: "exit", code: firstNumber(value) };
    }
  }
  return event;
}

function firstBytes(message: Uint8Array): Uint8Array {
  for (const [field, value] of fieldsOf(message)) if (field === 1 && typeof value !== "number") return value;
  return new Uint8Array(0);
}

function firstNumber(message: Uint8Array): number {
  for (const [field, value] of fieldsOf(message)) if (field === 1 && typeof value === "number") return value | 0;
  return 0;
}

function* fieldsOf(bytes: Uint8Array): Generator<readonly [field: number, value: number | Uint8Array]> {
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const field = tag >>> 3;
    switch (tag & 7) {
      case VARINT:
        yield [field, readVarint(bytes, cursor)];
        break;
      case BYTES: {
        const length = readVarint(bytes, cursor);
        if (cursor.at + length > bytes.length) throw new Error("a message from the gateway is cut short");
        yield [field, bytes.subarray(cursor.at, cursor.at + length)];
        cursor.at += length;
        break;
      }
      case FIXED64:
        cursor.at += 8;
        break;
      case FIXED32:
        cursor.at += 4;
        break;
      default:
        throw new Error("a message from the gateway cannot be read");
    }
  }
}

/** The low 32 bits of a varint: every number in these messages fits, and a negative one is sign-extended beyond them. */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new Error("a message from the gateway is cut short");
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  throw new Error("a message from the gateway cannot be read");
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function bytesField(field: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([varint((field << 3) | BYTES), varint(data.length), data]);
}

/** proto3 leaves out what equals the default. The two fields of a oneof that may be empty never are. */
function textField(field: number, text: string): Uint8Array {
  return text === "" ? new Uint8Array(0) : bytesField(field, Buffer.from(text));
}

function numberField(field: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array(0) : Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}
