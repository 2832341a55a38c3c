/** The errors that the API answers with, each said in one way. Everything else that is thrown is a defect (INTERNAL). */
import { Code, ConnectError } from "@connectrpc/connect";

/** There is no such thing; `what` reads like `sandbox "name"`. */
export function notFound(what: string): ConnectError {
  return new ConnectError(`${what} not found`, Code.NotFound);
}

/** The request itself is wrong, whatever the state. */
export function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}

/** The state does not permit it now. */
export function failedPrecondition(message: string): ConnectError {
  return new ConnectError(message, Code.FailedPrecondition);
}

/** Something changed meanwhile: read again and repeat. */
export function aborted(message: string): ConnectError {
  return new ConnectError(message, Code.Aborted);
}

export function alreadyExists(what: string): ConnectError {
  return new ConnectError(`${what} exists already`, Code.AlreadyExists);
}

/** It may work later. */
export function unavailable(message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable);
}

export function deadlineExceeded(message: string): ConnectError {
  return new ConnectError(message, Code.DeadlineExceeded);
}

export function unauthenticated(message: string): ConnectError {
  return new ConnectError(message, Code.Unauthenticated);
}

export function permissionDenied(message: string): ConnectError {
  return new ConnectError(message, Code.PermissionDenied);
}

export function notAvailable(message: string): ConnectError {
  return new ConnectError(message, Code.Unimplemented);
}
