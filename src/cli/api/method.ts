/**
 * The gateway's methods as the CLI calls them. Messages are ProtoJSON, so that only their types are imported: loading
 * the generated descriptors takes as long as the rest of a command.
 */

/** A method with one message each way, as JSON. */
export interface UnaryMethod<I, O> {
  readonly name: string;
  /** Full name of its service. */
  readonly service: string;
  /** Never present: it binds the types of the messages to the method. */
  readonly messages?: (input: I) => O;
}

/** A method with a stream of answers, or of messages both ways. */
export interface StreamMethod<I, O> {
  readonly name: string;
  /** Full name of its service. */
  readonly service: string;
  readonly encoding: Encoding<I, O>;
}

/** How a stream's messages are written. */
export interface Encoding<I, O> {
  readonly contentType: "application/connect+json" | "application/connect+proto";
  encode(message: I): Uint8Array;
  decode(bytes: Uint8Array): O;
}

export const mainService = "openshell.v1.OpenShell";

export function unaryMethod<I, O>(name: string, service = mainService): UnaryMethod<I, O> {
  return { name, service };
}

export function jsonStream<I, O>(name: string): StreamMethod<I, O> {
  return {
    name,
    service: mainService,
    encoding: {
      contentType: "application/connect+json",
      encode: (message) => Buffer.from(JSON.stringify(message)),
      // The gateway is trusted to speak its own schema, as with every generated client.
      decode: (bytes) => JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as O,
    },
  };
}
