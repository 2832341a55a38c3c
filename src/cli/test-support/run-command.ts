/**
 * Runs a command line in this process with streams, signals and files of its own.
 */
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { dispatch } from "../dispatch.ts";

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class CommandRunner implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), "openshell-cli-"));
  readonly stdin = new PassThrough();
  readonly signals = new EventEmitter();
  readonly environment: Record<string, string> = {
    XDG_CONFIG_HOME: join(this.home, "config"),
    XDG_STATE_HOME: join(this.home, "state"),
    XDG_RUNTIME_DIR: join(this.home, "run"),
    OPENSHELL_SYSTEM_GATEWAY_DIR: join(this.home, "system"),
    PATH: process.env["PATH"] ?? "",
  };
  /** Called with everything that is written to standard output, as it comes. */
  onOutput: (text: string) => void = () => {};

  async run(...typed: string[]): Promise<Ran> {
    const written = { stdout: "", stderr: "" };
    const collect = (name: "stdout" | "stderr") =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          written[name] += chunk.toString();
          if (name === "stdout") this.onOutput(chunk.toString());
          done();
        },
      });
    const exitCode = await dispatch(typed, {
      stdin: this.stdin,
      stdout: collect("stdout"),
      stderr: collect("stderr"),
      environment: this.environment,
      signals: this.signals as { on: EventEmitter["on"]; off: EventEmitter["off"] },
      installation: {
        node: process.execPath,
        cliProgram: join(this.home, "cli.cjs"),
        gatewayProgram: join(this.home, "gateway.cjs"),
      },
    });
    return { exitCode, ...written };
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
