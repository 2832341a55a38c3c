/**
 * The machine's Docker, if it answers, or else its Podman. Its image holds a few programs of this machine and their libraries, so that
 * nothing is pulled and nothing in it is slower than here.
 */
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { exitOf, outputOf, runSilently } from "../support/command.ts";
import type { Contender } from "../support/interleave.ts";
import type { Missing } from "../support/line.ts";

export interface Docker extends AsyncDisposable {
  /** Its command line's name. */
  readonly program: Program;
  /** Of a few programs. */
  readonly image: string;
  readonly version: string;
  /** `docker run --rm`, with our image and no network. */
  run(...command: readonly string[]): Contender;
  /** A container that runs until it is removed; gives its id. */
  start(): Promise<string>;
  exec(container: string, ...command: readonly string[]): Promise<void>;
  remove(container: string): Promise<void>;
}

type Program = "docker" | "podman";

const IMAGE = "localhost/openshell-bench:programs";
const programs = ["/usr/bin/true", "/usr/bin/sleep"];

export async function findDocker(): Promise<Docker | Missing> {
  const found = await findEngine("docker");
  if (!("missing" in found)) return found;
  const other = await findEngine("podman");
  return "missing" in other ? found : other;
}

async function findEngine(program: Program): Promise<Docker | Missing> {
  const engine = (...args: readonly string[]) => ({ file: program, args });
  try {
    const version = await outputOf(engine("version", "--format", "{{.Server.Version}}"));
    await makeImage(program);
    // An engine may answer that can start nothing here, as for lack of a right: it is left out like one that is missing.
    await runSilently(engine("run", "--rm", "--network", "none", IMAGE, "true"));
    const running = new Set<string>();
    const remove = async (container: string) => {
      await runSilently(engine("rm", "--force", container));
      running.delete(container);
    };
    return {
      program,
      image: IMAGE,
      version: version.trim(),
      run: (...command) => ({
        name: `${program} run --rm --network none IMAGE ${command.join(" ")}`,
        once: () => runSilently(engine("run", "--rm", "--network", "none", IMAGE, ...command)),
      }),
      async start() {
        const id = (await outputOf(engine("run", "--detach", "--network", "none", IMAGE, "sleep", "infinity"))).trim();
        running.add(id);
        return id;
      },
      exec: (container, ...command) => runSilently(engine("exec", container, ...command)),
      remove,
      async [Symbol.asyncDispose]() {
        for (const container of running) await remove(container);
        await runSilently(engine("rmi", "--force", IMAGE));
      },
    };
  } catch (error) {
    await runSilently(engine("rmi", "--force", IMAGE)).catch(() => {});
    return { name: program, missing: firstLine(error) };
  }
}

/** docker-import(1) takes an archive; `tar -h` puts files where the links in the way of their names lead to. */
async function makeImage(program: Program): Promise<void> {
  const linked = await Promise.all(programs.map((program) => outputOf({ file: "ldd", args: [program] })));
  const libraries = linked.join("\n").match(/\/\S+(?= \(0x)/g) ?? [];
  const files = [...new Set([...programs, ...libraries])].map((path) => path.slice(1));
  const tar = spawn("tar", ["-c", "-h", "-C", "/", ...files], { stdio: ["ignore", "pipe", "ignore"] });
  const path = `PATH=${[...new Set(programs.map((program) => realpathSync(program).replace(/\/[^/]*$/, "")))].join(":")}`;
  const load = spawn(program, ["import", "--change", `ENV ${path}`, "-", IMAGE], {
    stdio: [tar.stdout, "ignore", "inherit"],
  });
  const codes = await Promise.all([exitOf(tar), exitOf(load)]);
  if (codes.some((code) => code !== 0)) throw new Error("the image could not be imported");
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr || message || String(error)).trim().split("\n")[0] ?? "";
}
