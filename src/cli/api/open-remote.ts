/** The way to a gateway over a network: HTTP/2, or WebSockets where a proxy in between has HTTP/1.1 on one of its sides. */
import type { Carriage } from "./carriage.ts";
import { Http2Carriage, NotHttp2 } from "./http2-carriage.ts";
import type { RemoteOptions } from "./remote-options.ts";

/** A proxy in between sends whoever comes to its login. */
export class LoginWanted extends Error {
  constructor() {
    super("a proxy in front of it wants a login");
  }
}

/** Rejects with LoginWanted, or with the connection's error. `isDirect`: nobody can be in between. */
export async function openRemote(
  options: RemoteOptions,
  { isDirect }: { readonly isDirect: boolean },
): Promise<Carriage> {
  try {
    const carriage = await Http2Carriage.open(options);
    if (isDirect) return carriage;
    const { status, httpVersion } = await carriage.probe();
    const wantsLogin = httpVersion === undefined && isLogin(status);
    // nginx, for one, offers HTTP/2 and passes it on as HTTP/1.1: what is to go both ways at once would hang. A gateway that
    // does not say how it was asked is an older one or another's, and is taken at its word that it speaks HTTP/2.
    if (!wantsLogin && (httpVersion === undefined || httpVersion === "2.0")) return carriage;
    carriage[Symbol.dispose]();
    if (wantsLogin) throw new LoginWanted();
  } catch (error) {
    if (!(error instanceof NotHttp2)) throw error;
  }
  const { openWebSocketCarriage } = await import("./websocket-carriage.ts");
  try {
    return await openWebSocketCarriage(options);
  } catch (error) {
    const status = /Unexpected server response: (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
    throw isLogin(Number(status)) ? new LoginWanted() : error;
  }
}

function isLogin(status: number): boolean {
  return [301, 302, 303, 307, 401, 403].includes(status);
}
