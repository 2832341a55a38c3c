/** What went wrong, as a client is told it. */
import { ProtocolError, status } from "./protocol.ts";

const codes: ReadonlyMap<string, number> = new Map([
  ["ENOENT", status.noSuchFile],
  ["ELOOP", status.noSuchFile],
  ["ENOTDIR", status.noSuchFile],
  ["EACCES", status.permissionDenied],
  ["EPERM", status.permissionDenied],
  ["EROFS", status.permissionDenied],
  ["ENOSYS", status.unsupported],
  ["EOPNOTSUPP", status.unsupported],
]);

export interface Status {
  readonly code: number;
  readonly message: string;
}

export function statusOf(error: unknown): Status {
  if (error instanceof ProtocolError) return { code: status.badMessage, message: error.message };
  const { code = "", message } = error as NodeJS.ErrnoException;
  // Node's own words repeat the path, which the client knows, in front of which stands what it does not: the reason.
  return { code: codes.get(code) ?? status.failure, message: message.split(",")[0] ?? code };
}
