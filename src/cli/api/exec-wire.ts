/**
 * A command to run, in protobuf's binary form, written out by hand: the generated code for it would take longer to load than
 * a short command runs. A test holds this file against the generated code.
 */
import { bytesField, numberField, textField } from "./protobuf-wire.ts";

export interface ExecStart {
  readonly sandboxId: string;
  readonly command: readonly string[];
  readonly workdir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly terminal?: WindowSize;
  /** It goes on without the client; see the field of the same name in proto/. So do the following. */
  readonly detach?: boolean;
  readonly attach?: string;
  readonly tailLines?: number;
}

export interface WindowSize {
  readonly columns: number;
  readonly rows: number;
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
  parts.push(numberField(100, start.detach ? 1 : 0), textField(101, start.attach ?? ""));
  parts.push(numberField(102, start.tailLines ?? 0));
  return Buffer.concat(parts);
}
