/**
 * The messages of ForwardTcp in protobuf's binary form, written out by hand. They carry all the bytes of a command, for which
 * JSON with base64 is too slow, and the generated code for them would take longer to load than a short command runs.
 */
import { type ExecStart, encodeStart } from "./exec-wire.ts";
import { mainService, type StreamMethod } from "./method.ts";
import { bytesField, fieldsOf, numberField, textField } from "./protobuf-wire.ts";

/** What a byte stream into a sandbox leads to. */
export type ForwardTarget =
  | { readonly kind: "exec"; readonly start: Omit<ExecStart, "sandboxId"> }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "ssh" };

export interface ForwardStart {
  readonly sandboxId: string;
  readonly target: ForwardTarget;
  /** Of the SSH session that permits it, where one is needed. */
  readonly authorizationToken?: string;
  readonly relay: { readonly id: string; readonly secret: Uint8Array; readonly isKnown: boolean };
}

export type ForwardInput =
  | { readonly kind: "start"; readonly start: ForwardStart }
  | { readonly kind: "data"; readonly data: Uint8Array };

/** Answers are bytes. */
export const forwardTcp: StreamMethod<ForwardInput, Uint8Array> = {
  name: "ForwardTcp",
  service: mainService,
  encoding: { contentType: "application/connect+proto", encode: encodeFrame, decode: decodeData },
};

/** openshell.v1.TcpForwardFrame. */
export function encodeFrame(input: ForwardInput): Uint8Array {
  return input.kind === "data" ? bytesField(2, input.data) : bytesField(1, encodeInit(input.start));
}

/** openshell.v1.TcpForwardInit. */
function encodeInit({ sandboxId, target, authorizationToken = "", relay }: ForwardStart): Uint8Array {
  return Buffer.concat([
    textField(1, sandboxId),
    encodeTarget(target),
    textField(7, authorizationToken),
    bytesField(
      101,
      Buffer.concat([textField(1, relay.id), bytesField(2, relay.secret), numberField(3, relay.isKnown ? 1 : 0)]),
    ),
  ]);
}

function encodeTarget(target: ForwardTarget): Uint8Array {
  switch (target.kind) {
    case "ssh":
      return bytesField(5, new Uint8Array(0));
    case "tcp":
      return bytesField(6, Buffer.concat([textField(1, target.host), numberField(2, target.port)]));
    case "exec":
      return bytesField(100, bytesField(1, encodeStart({ ...target.start, sandboxId: "" })));
    default:
      return target satisfies never;
  }
}

/** The bytes of a TcpForwardFrame; none for what a newer gateway may add. Throws on bytes that are no message. */
export function decodeData(bytes: Uint8Array): Uint8Array {
  for (const [field, value] of fieldsOf(bytes)) if (field === 2 && typeof value !== "number") return value;
  return new Uint8Array(0);
}
