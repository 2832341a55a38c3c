/**
 * The machine's Docker, if an engine answers. Its image holds a few programs of this machine and their libraries, so that
 * nothing is pulled and nothing in it is slower than here.
 */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { exitOf, outputOf, runSilently } from "../support/command.ts";
import type { Contender } from "../support/interleave.ts";
import type { Missing } from "../support/line.ts";

export interface Docker extends AsyncDisposable {
  readonly version: string;
  /** `docker run --rm`, with our image and no network. */
  run(...command: readonly string[]): Contender;
  /** A container that runs until it is removed; gives its id. */
  start(): Promise<string>;
  exec(container: string, ...command: readonly string[]): Promise<void>;
  remove(container: string): Promise<void>;
}

const IMAGE = "openshell-bench:programs";
const programs = ["/usr/bin/true", "/usr/bin/sleep"];

export async function findDocker(): Promise<Docker | Missing> {
  try {
    const version = await docker("version", "--format", "{{.Server.Version}}");
    await makeImage();
    const running = new Set<string>();
    const remove = async (container: string) => {
      await runSilently({ file: "docker", args: ["rm", "--force", container] });
      running.delete(container);
    };
    return {
      version: version.trim(),
      run: (...command) => ({
        name: `docker run --rm --network none IMAGE ${command.join(" ")}`,
        once: () => runSilently({ file: "docker", args: ["run", "--rm", "--network", "none", IMAGE, ...command] }),
      }),
      async start() {
        const id = (await docker("run", "--detach", "--network", "none", IMAGE, "sleep", "infinity")).trim();
        running.add(id);
        return id;
      },
      exec: (container, ...command) => runSilently({ file: "docker", args: ["exec", container, ...command] }),
      remove,
      async [Symbol.asyncDispose]() {
        for (const container of running) await remove(container);
        await runSilently({ file: "docker", args: ["rmi", "--force", IMAGE] });
      },
    };
  } catch (error) {
    return { name: "docker", missing: firstLine(error) };
  }
}

const docker = (...args: readonly string[]) => outputOf({ file: "docker", args });

/** docker-import(1) takes an archive; `tar -h` puts files where the links in the way of their names lead to. */
async function makeImage(): Promise<void> {
  const linked = await Promise.all(programs.map((program) => outputOf({ file: "ldd", args: [program] })));
  const libraries = linked.join("\n").match(/\/\S+(?= \(0x)/g) ?? [];
  const files = [...new Set([...programs, ...libraries])].map((path) => path.slice(1));
  const tar = spawn("tar", ["-c", "-h", "-C", "/", ...files], { stdio: ["ignore", "pipe", "ignore"] });
  const path = `PATH=${[...new Set(programs.map((program) => realpathSync(program).replace(/\/[^/]*$/, "")))].join(":")}`;
  const load = spawn("docker", ["import", "--change", `ENV ${path}`, "-", IMAGE], {
    stdio: [tar.stdout, "ignore", "inherit"],
  });
  const codes = await Promise.all([exitOf(tar), exitOf(load)]);
  if (codes.some((code) => code !== 0)) throw new Error("the image could not be imported");
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr || message || String(error)).trim().split("\n")[0] ?? "";
}
