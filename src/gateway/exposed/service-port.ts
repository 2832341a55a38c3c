/** The port on which exposed services are: opened when there is the first, and not before. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { closable } from "../server/closable.ts";
import { LOOPBACK, listening } from "../server/listen.ts";

export class ServicePort {
  readonly #createServer: () => Server;
  readonly #usualPort: () => number;
  #opening: Promise<number> | undefined;
  #close: (() => Promise<void>) | undefined;

  /** @param usualPort the same from start to start where it can be had, so that URLs stay good */
  constructor(createServer: () => Server, usualPort: () => number) {
    this.#createServer = createServer;
    this.#usualPort = usualPort;
  }

  /** Its number; opens it if need be. */
  open(): Promise<number> {
    this.#opening ??= this.#listen();
    return this.#opening;
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    await this.#close?.();
  }

  async #listen(): Promise<number> {
    const server = this.#createServer();
    this.#close = closable(server);
    try {
      await listening(server, () => server.listen(this.#usualPort(), LOOPBACK));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      await listening(server, () => server.listen(0, LOOPBACK));
    }
    return (server.address() as AddressInfo).port;
  }
}
