/** A connection inside the sandbox as a stream: what init holds, with back-pressure and an end on both ways. */
import { constants } from "node:os";
import { Duplex } from "node:stream";
import type { ConnectRequest } from "../init/protocol.ts";
import type { InitLink, SandboxProgram } from "./init-link.ts";

/**
 * Connects as a program of the sandbox would.
 * @throws ProgramNotStarted with the errno of connect(2) when nobody listens there, or Error when the sandbox ends
 */
export async function connectInside(init: InitLink, request: ConnectRequest): Promise<Duplex> {
  const connection = init.connect(request);
  const stream = new InsideConnection(connection);
  await connection.started;
  return stream;
}

class InsideConnection extends Duplex {
  readonly #connection: SandboxProgram;

  constructor(connection: SandboxProgram) {
    super();
    this.#connection = connection;
    connection.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) connection.stdout.pause();
    });
    connection.stdout.on("end", () => this.push(null));
    connection.exited.then(
      ({ code }) => code !== 0 && this.destroy(Object.assign(new Error("reset by the peer"), { code: "ECONNRESET" })),
      (error: Error) => this.destroy(error),
    );
    // Nobody listens yet while it is being opened; whoever awaits that is told by its promise.
    this.on("error", () => {});
  }

  override _read(): void {
    this.#connection.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { stdin } = this.#connection;
    if (stdin.destroyed || stdin.write(chunk)) return done();
    const proceed = () => {
      stdin.off("drain", proceed).off("close", proceed);
      done();
    };
    stdin.on("drain", proceed).on("close", proceed);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.stdin.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection.signal(constants.signals.SIGTERM);
    this.#connection.stdout.resume();
    done(error);
  }
}
