/** Containers by what is done with them here. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { filesIn } from "./archives.ts";
import { type Engine, EngineRefusal, ifThere, outputText } from "./engine.ts";

export interface LogsWanted {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

interface Inspected {
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly ExitCode: number };
}

export class Containers {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async create(name: string, body: object): Promise<void> {
    await this.#engine.post("/containers/create", { query: { name }, body });
  }

  async start(name: string): Promise<void> {
    await this.#engine.post(`/containers/${name}/start`);
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#inspect(name)) !== undefined;
  }

  /** The machine's number for its first process; 0 when it does not run. */
  async pid(name: string): Promise<number> {
    return (await this.#inspect(name))?.State.Pid ?? 0;
  }

  async exitCode(name: string): Promise<number | undefined> {
    return (await this.#inspect(name))?.State.ExitCode;
  }

  async labels(name: string): Promise<Readonly<Record<string, string>> | undefined> {
    return (await this.#inspect(name))?.Config.Labels ?? undefined;
  }

  /** Whether it is started again by itself. Old versions of Podman can't be told, and start none by themselves. */
  async setRestart(name: string, policy: "always" | "no"): Promise<void> {
    const body = { RestartPolicy: { Name: policy } };
    try {
      await this.#engine.post(`/containers/${name}/update`, { body });
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
    }
  }

  /** Ends it in good order. */
  async stop(name: string): Promise<void> {
    await ifThere(this.#engine.post(`/containers/${name}/stop`));
  }

  /** The regular files of a directory, by their names from its last step on; empty where there is none. */
  async files(name: string, path: string): Promise<ReadonlyMap<string, string>> {
    const archive = await ifThere(this.#engine.getBytes(`/containers/${name}/archive`, { path }));
    return archive === undefined ? new Map() : await filesIn(archive);
  }

  /** The newest lines of what it has printed, and with `follow` those that come. */
  async *logLines(name: string, { lines, follow, signal }: LogsWanted): AsyncGenerator<string> {
    const query = { stdout: "1", stderr: "1", tail: `${lines}`, ...(follow && { follow: "1" }) };
    yield* createInterface({
      input: Readable.from(this.#engine.output(`/containers/${name}/logs`, { query, signal })),
    });
  }

  /** What it has printed, the end of it. */
  async lastWords(name: string): Promise<string> {
    const query = { stdout: "1", stderr: "1", tail: "20" };
    const framed = await ifThere(this.#engine.getBytes(`/containers/${name}/logs`, query));
    const lines = outputText(framed ?? Buffer.alloc(0))
      .trimEnd()
      .split("\n");
    return lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "";
  }

  /** Runs one to its end. Throws with its last words if that is not a good one. */
  async run(name: string, body: object): Promise<void> {
    await this.remove(name);
    await this.create(name, body);
    try {
      await this.start(name);
      const answer = await this.#engine.post(`/containers/${name}/wait`);
      const { StatusCode: code } = JSON.parse(answer.toString()) as { StatusCode: number };
      if (code !== 0) throw new Error(await this.lastWords(name));
    } finally {
      await this.remove(name);
    }
  }

  /** Ends all processes of it; nothing of it runs when the promise is kept. */
  async kill(name: string): Promise<void> {
    const inspected = await this.#inspect(name);
    if (inspected?.State.Running !== true) return;
    await this.#engine.post(`/containers/${name}/kill`).catch(() => undefined);
    await ifThere(this.#engine.post(`/containers/${name}/wait`));
  }

  /** With the volumes that were made for it alone. */
  async remove(name: string): Promise<void> {
    await ifThere(this.#engine.delete(`/containers/${name}`, { force: "1", v: "1" }));
  }

  /** All of them, in whichever order the engine lets go of them: Podman keeps one whose namespaces another one uses. */
  async removeAll(names: readonly string[]): Promise<void> {
    for (let left = names; left.length > 0; ) {
      const kept: string[] = [];
      let refusal: EngineRefusal | undefined;
      for (const name of left) {
        try {
          await this.remove(name);
        } catch (error) {
          if (!(error instanceof EngineRefusal)) throw error;
          refusal = error;
          kept.push(name);
        }
      }
      if (refusal !== undefined && kept.length === left.length) throw refusal;
      left = kept;
    }
  }

  /** The values of a label, of all containers that have another one with this value. */
  async labelled(label: string, wanted: { readonly label: string; readonly value: string }): Promise<string[]> {
    const filters = JSON.stringify({ label: [`${wanted.label}=${wanted.value}`] });
    const found = await this.#engine.get<{ Labels: Record<string, string> }[]>("/containers/json", {
      all: "1",
      filters,
    });
    return [...new Set(found.flatMap(({ Labels: labels }) => labels[label] ?? []))];
  }

  /** The ids of all that have this label. */
  async withLabel({ label, value }: { readonly label: string; readonly value: string }): Promise<string[]> {
    const filters = JSON.stringify({ label: [`${label}=${value}`] });
    const found = await this.#engine.get<{ Id: string }[]>("/containers/json", { all: "1", filters });
    return found.map(({ Id: id }) => id);
  }

  async #inspect(name: string): Promise<Inspected | undefined> {
    return await ifThere(this.#engine.get<Inspected>(`/containers/${name}/json`));
  }
}
