/** How metrics and traces learn what a gateway does. Told after the fact, so that watching can slow or fail nothing. */
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { SandboxLogLine } from "../../gen/openshell/v1/watch_pb.ts";

/** A call of the API that has ended. */
export interface EndedCall {
  readonly service: string;
  readonly method: string;
  readonly startedAtMs: number;
  readonly seconds: number;
  /** As gRPC writes it, such as `NOT_FOUND`; `OK` for success. */
  readonly code: string;
  /** The caller's trace, as W3C Trace Context's header has it. */
  readonly traceparent: string | undefined;
}

export interface Observer {
  callEnded?(call: EndedCall): void;
  /** Lines of sandboxes' logs, each told of once. */
  linesStored?(lines: readonly SandboxLogLine[]): void;
}

/** Tells of each call at its end: for a stream that is when its last message has gone, or its reader. */
export function observeCalls(observers: readonly Observer[]): Interceptor {
  return (next) => async (request) => {
    const startedAtMs = Date.now();
    const start = performance.now();
    const ended = (error?: unknown) => {
      const call: EndedCall = {
        service: request.service.typeName,
        method: request.method.name,
        startedAtMs,
        seconds: (performance.now() - start) / 1000,
        code: error === undefined ? "OK" : codeName(ConnectError.from(error).code),
        traceparent: request.header.get("traceparent") ?? undefined,
      };
      for (const observer of observers) observer.callEnded?.(call);
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: untilEnd(response.message, ended) };
      ended();
      return response;
    } catch (error) {
      ended(error);
      throw error;
    }
  };
}

async function* untilEnd<T>(messages: AsyncIterable<T>, ended: (error?: unknown) => void): AsyncGenerator<T> {
  let failure: unknown;
  try {
    yield* messages;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    ended(failure);
  }
}

/** `NotFound` as `NOT_FOUND`. */
export function codeName(code: Code): string {
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
