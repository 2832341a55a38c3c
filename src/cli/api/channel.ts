/**
 * A client of the gateway's API: the Connect protocol, as much of it as a command line needs, over whatever carries it.
 * A client library costs more start-up time than everything else that a command does together.
 */
import { EnvelopeReader, MAX_MESSAGE_BYTES } from "../../net/envelopes.ts";
import type { Carriage, CarriedCall } from "./carriage.ts";
import type { StreamMethod, UnaryMethod } from "./method.ts";
import { RpcError, readRpcError } from "./rpc-error.ts";

/** A call with messages both ways. Reading it throws RpcError. */
export interface Duplex<I, O> extends AsyncIterable<O> {
  /** False when the peer is slow: wait for `drained` before sending more. */
  send(message: I): boolean;
  drained(): Promise<void>;
  /** Nothing more will be sent; answers still come. */
  end(): void;
  /** Drops the call; the gateway ends what it started for it. */
  cancel(): void;
}

interface CallOptions {
  readonly signal?: AbortSignal;
}

export class Channel implements Disposable {
  private readonly carriage: Carriage;

  constructor(carriage: Carriage) {
    this.carriage = carriage;
  }

  /** One message each way. Throws RpcError. */
  async unary<I, O>(method: UnaryMethod<I, O>, message: I, { signal }: CallOptions = {}): Promise<O> {
    const call = this.carriage.call({ path: pathOf(method), contentType: "application/json" }, signal);
    call.send(Buffer.from(JSON.stringify(message)));
    call.end();
    try {
      const { status, body } = await call.answer();
      const answer = parseJson(await wholeText(body));
      if (status === 200 && answer !== undefined) return answer as O;
      throw readRpcError(answer, method.name) ?? withoutError(status);
    } catch (error) {
      throw asRpcError(error);
    }
  }

  /** One message out and any number in. */
  serverStream<I, O>(method: StreamMethod<I, O>, message: I, options: CallOptions = {}): AsyncIterable<O> {
    const call = this.duplex(method, options);
    call.send(message);
    call.end();
    return call;
  }

  /** Messages both ways. */
  duplex<I, O>(method: StreamMethod<I, O>, { signal }: CallOptions = {}): Duplex<I, O> {
    const head = { path: pathOf(method), contentType: method.encoding.contentType };
    return new StreamCall(this.carriage.call(head, signal), method);
  }

  /** Closes the connection and with it all calls that are under way. */
  [Symbol.dispose](): void {
    this.carriage[Symbol.dispose]();
  }
}

class StreamCall<I, O> implements Duplex<I, O> {
  private readonly call: CarriedCall;
  private readonly method: StreamMethod<I, O>;

  constructor(call: CarriedCall, method: StreamMethod<I, O>) {
    this.call = call;
    this.method = method;
  }

  send(message: I): boolean {
    return this.call.send(this.method.encoding.encode(message));
  }

  drained(): Promise<void> {
    return this.call.drained();
  }

  end(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.cancel();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<O> {
    const reader = new EnvelopeReader();
    const { decode } = this.method.encoding;
    try {
      const { status, body } = await this.call.answer();
      for await (const chunk of body) {
        if (status !== 200) throw readRpcError(parseJson(chunk.toString()), this.method.name) ?? withoutError(status);
        for (const { isEnd, bytes } of reader.push(chunk)) {
          if (!isEnd) {
            yield decode(bytes);
            continue;
          }
          const end = parseJson(Buffer.from(bytes).toString()) as { error?: unknown } | undefined;
          const problem = readRpcError(end?.error, this.method.name);
          if (problem) throw problem;
          return;
        }
      }
      throw status === 200 ? broken() : withoutError(status);
    } catch (error) {
      throw asRpcError(error);
    } finally {
      // A reader that leaves early has no use for the rest.
      this.call.cancel();
    }
  }
}

function pathOf({ service, name }: { readonly service: string; readonly name: string }): string {
  return `/${service}/${name}`;
}

async function wholeText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_MESSAGE_BYTES) throw new Error("the gateway's answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer that no gateway gives: something else listens at that address, or the connection ended before it. */
function withoutError(status: number): RpcError {
  if (status === 0) return broken();
  return new RpcError("unavailable", `the address answers HTTP ${status}, not like a gateway`);
}

function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof Error && error.name === "AbortError") return new RpcError("canceled", "cancelled");
  return broken(error);
}

function broken(cause?: unknown): RpcError {
  return new RpcError("unavailable", "the connection to the gateway broke", { cause });
}
