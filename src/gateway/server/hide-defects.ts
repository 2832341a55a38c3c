import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { GatewayLog } from "../gateway-log.ts";
import { notFound } from "../refuse.ts";
import { SandboxGone } from "../store/store.ts";
import { storageFailure } from "./storage-failure.ts";

/**
 * What is thrown and is not an answer is a defect: the client learns only that, the log learns what. Without this, a
 * path or a statement of ours could reach a client in an error's text. A disk that is full is no defect, and is told.
 */
export function hideDefects(log: GatewayLog): Interceptor {
  const hide = (method: string, error: unknown): ConnectError => {
    if (error instanceof ConnectError) return error;
    if (error instanceof SandboxGone) return notFound("the sandbox");
    // The client went away; nobody reads this.
    if (error instanceof Error && error.name === "AbortError") return new ConnectError("canceled", Code.Canceled);
    log.error(`${method} failed`, error);
    return storageFailure(error) ?? new ConnectError("internal error; the gateway's log has more", Code.Internal);
  };
  return (next) => async (request) => {
    const { name } = request.method;
    try {
      const response = await next(request);
      return response.stream
        ? { ...response, message: guarded(response.message, (error) => hide(name, error)) }
        : response;
    } catch (error) {
      throw hide(name, error);
    }
  };
}

async function* guarded<T>(messages: AsyncIterable<T>, hide: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw hide(error);
  }
}
