/**
 * The messages of ExecSandboxInteractive in protobuf's binary form, written out by hand. Output can be many megabytes, for
 * which JSON with base64 is too slow, and the generated code for these six messages would take longer to load than a short
 * command runs. A test holds this file against the generated code.
 */
import { mainService, type StreamMethod } from "./method.ts";
import { bytesField, fieldsOf, numberField, textField } from "./protobuf-wire.ts";

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
export function encodeStart(start: ExecStart): Uint8Array {
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
