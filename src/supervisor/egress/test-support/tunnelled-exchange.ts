/** Raw bytes said to a port through a tunnel of the proxy, as a client would that hides one request in another. */
import type { LoopbackWorld } from "./loopback-world.ts";

/** A request as one of the parties has understood it. */
export interface SeenRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly bodyBytes: number;
}

/**
 * Says the bytes, in which HOST stands for the origin, and waits for the end. Gives what came back, and the requests of
 * `allowed` (which the world's policy fills) with the sizes that their bodies turned out to have.
 */
export async function tunnelledExchange(
  world: LoopbackWorld,
  { port, bytes, allowed }: { port: number; bytes: string; allowed: readonly SeenRequest[] },
) {
  const client = await world.connect(await world.proxy());
  const authority = `upstream.invalid:${port}`;
  client.say(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  await client.until(/^HTTP\/1\.1 200 .*\r\n\r\n/);
  client.say(bytes.replaceAll("HOST", authority));
  client.socket.end();
  const received = await client.untilClosed();
  const decided = allowed.map((request, index) => ({
    ...request,
    bodyBytes: world.audit.outcomes[index]?.bytesOut ?? -1,
  }));
  return { decided, received };
}
