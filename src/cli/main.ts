/**
 * The `openshell` program. Only this file touches the process; it answers what needs nothing, and loads the rest from
 * compiled code.
 */
import { enableCompileCache } from "node:module";
import { compileCacheDirectory } from "../locations/compile-cache.ts";
import { VERSION } from "../version.ts";

const typed = process.argv.slice(2);

if (typed.length === 1 && (typed[0] === "--version" || typed[0] === "-V")) {
  process.stdout.write(`openshell ${VERSION}\n`);
} else {
  useCompileCache();
  void runCommand();
}

async function runCommand(): Promise<void> {
  const { dispatch } = await import("./dispatch.ts");
  const exitCode = await dispatch(typed, {
    // Getters: each standard stream is set up at first touch, and most commands use one or two.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    environment: process.env,
    signals: process,
    installation: {
      node: process.execPath,
      cliProgram: `${import.meta.dirname}/cli.cjs`,
      gatewayProgram: `${import.meta.dirname}/gateway.cjs`,
    },
  });
  await flushed();
  // Standard input may still be open, and would keep the process alive.
  process.exit(exitCode);
}

function useCompileCache(): void {
  const directory = compileCacheDirectory(process.env);
  if (directory !== undefined) enableCompileCache(directory);
}

/** Waits until the output has gone out, or cannot. */
async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength === 0 || stream.destroyed) continue;
    await new Promise<void>((resolve) => {
      stream.once("error", () => resolve());
      stream.write("", () => resolve());
    });
  }
}
