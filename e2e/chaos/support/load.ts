/**
 * Clients that never rest: each repeats one kind of work on entries of its own, and writes into the ledger what the gateway
 * has acknowledged. They can be made to pause, so that there is a moment in which nothing is under way.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSandbox, deleteSandbox, startSandbox, stopSandbox, updateConfig } from "../../../src/cli/api/methods.ts";
import { openCommand } from "../../../src/cli/api/open-command.ts";
import { createProvider, deleteProvider, updateProvider } from "../../../src/cli/api/provider-methods.ts";
import { RpcError } from "../../../src/cli/api/rpc-error.ts";
import { RelayClosed } from "../../../src/relay/resumable-stream.ts";
import { eventually } from "../../support/eventually.ts";
import type { Installation } from "../../support/installation.ts";
import { BrokenOff, Connection } from "./connection.ts";
import { guardedPolicy } from "./guarded.ts";
import type { Ledger } from "./ledger.ts";

const workspace = "default";

/** What a client does again and again; `turn` is another each time. */
interface Work {
  readonly name: string;
  readonly act: (turn: number) => Promise<void>;
}

export interface LoadOptions {
  readonly installation: Installation;
  readonly ledger: Ledger;
  /** Ids of the sandboxes that are worked in, by name. */
  readonly sandboxes: ReadonlyMap<string, string>;
  /** The one that is stopped and started. */
  readonly resting: string;
}

export class Load implements AsyncDisposable {
  readonly #options: LoadOptions;
  readonly #connection: Connection;
  readonly #running: Promise<void>[] = [];
  #failure: unknown;
  #gate: PromiseWithResolvers<void> | undefined;
  #isOver = false;
  /** What is under way. */
  readonly #busy = new Set<Work>();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#connection = new Connection(options.installation);
  }

  start(): void {
    const named = [...this.#options.sandboxes].flatMap(([name, id]): Work[] => [
      { name: `policy of ${name}`, act: (turn) => this.#pushPolicy(name, turn) },
      { name: `exec in ${name}`, act: () => this.#exec(id) },
    ]);
    const others: Work[] = [
      { name: "come and go", act: (turn) => this.#comeAndGo(turn) },
      { name: "provider", act: (turn) => this.#changeProvider(turn) },
      { name: "setting", act: (turn) => this.#changeSetting(turn) },
      { name: "upload", act: (turn) => this.#upload(turn) },
      { name: "stop and start", act: (turn) => this.#stopAndStart(turn) },
    ];
    for (const work of [...named, ...others]) this.#running.push(this.#repeat(work));
  }

  /** Resolves once nothing is under way; rejects if anything has failed otherwise than by a death. */
  async pause(): Promise<void> {
    this.#gate = Promise.withResolvers();
    await eventually(() => {
      const names = [...this.#busy].map(({ name }) => name);
      assert.deepEqual(names, [], "calls that do not end");
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  resume(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.resume();
    await Promise.all(this.#running);
    this.#connection[Symbol.dispose]();
  }

  async #repeat(work: Work): Promise<void> {
    for (let turn = 1; !this.#isOver && this.#failure === undefined; turn += 1) {
      this.#busy.add(work);
      try {
        await work.act(turn);
      } catch (error) {
        if (!isOfADeath(error)) this.#failure ??= error;
      }
      this.#busy.delete(work);
      await this.#gate?.promise;
    }
  }

  async #pushPolicy(name: string, turn: number): Promise<void> {
    const policy = guardedPolicy(turn);
    await this.#options.ledger.write(`policy of ${name}`, String(turn), () =>
      this.#connection.call((api) => api.unary(updateConfig, { name, workspace, policy })),
    );
  }

  /** What is said comes whole, or the command is known to have ended badly. */
  async #exec(sandboxId: string): Promise<void> {
    const command = ["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.05; done"];
    const gateway = await this.#connection.gateway();
    using _ = gateway.channel;
    const call = openCommand(gateway, { sandboxId, command });
    call.endInput();
    let said = "";
    let code: number | undefined;
    for await (const event of call.events()) {
      if (event.kind === "exit") code = event.code;
      else said += event.data;
    }
    // 137 is what a supervisor says that outlives the sandbox.
    if (code === undefined || (code === 137 && said.endsWith("the sandbox ended\n"))) throw new BrokenOff(said);
    if (code !== 0 || said !== "1\n2\n3\n4\n5\n6\n7\n8\n")
      throw new Error(`exit code ${code} after ${JSON.stringify(said)}`);
  }

  async #comeAndGo(turn: number): Promise<void> {
    const name = `guest${turn}`;
    const key = `sandbox ${name}`;
    const { ledger } = this.#options;
    const labels = { turn: String(turn) };
    await ledger
      .write(key, String(turn), () =>
        this.#connection.call((api) => api.unary(createSandbox, { name, workspace, labels, spec: {} })),
      )
      .catch(ignoreDeath);
    await ledger.write(key, undefined, () => this.#gone((api) => api.unary(deleteSandbox, { name, workspace })));
  }

  async #changeProvider(turn: number): Promise<void> {
    const name = "hub";
    const { ledger } = this.#options;
    const provider = {
      metadata: { name },
      type: "github",
      credentials: { GITHUB_TOKEN: "ghp_x" },
      config: { TURN: String(turn) },
    };
    const create = () => this.#connection.call((api) => api.unary(createProvider, { provider, workspace }));
    const update = () => this.#connection.call((api) => api.unary(updateProvider, { provider, workspace }));
    if (turn % 5 === 0) {
      await ledger.write("provider", undefined, () =>
        this.#gone((api) => api.unary(deleteProvider, { name, workspace })),
      );
    } else {
      await ledger.write("provider", String(turn), () =>
        update().catch((error) => (isNotFound(error) ? create() : Promise.reject(error))),
      );
    }
  }

  async #changeSetting(turn: number): Promise<void> {
    const level = ["low", "medium", "high"][turn % 3] ?? "";
    const setting = { settingKey: "log_level", settingValue: { stringValue: level }, global: true };
    await this.#options.ledger.write("log_level", level, () =>
      this.#connection.call((api) => api.unary(updateConfig, setting)),
    );
  }

  async #upload(turn: number): Promise<void> {
    const { installation, ledger, sandboxes } = this.#options;
    const [name = ""] = sandboxes.keys();
    const file = join(installation.home, "turn");
    writeFileSync(file, String(turn), { mode: 0o644 });
    await ledger.write("upload", String(turn), async () => {
      const { code, stderr } = await installation.run(["sandbox", "upload", name, file, "turn"]);
      if (code !== 0) throw new BrokenOff(stderr);
    });
  }

  async #stopAndStart(turn: number): Promise<void> {
    const { ledger, resting: name } = this.#options;
    const method = turn % 2 === 0 ? startSandbox : stopSandbox;
    await ledger.write("resting", turn % 2 === 0 ? "running" : "stopped", () =>
      this.#connection.call((api) => api.unary(method, { name, workspace })),
    );
  }

  /** A deletion; that there is nothing to delete is as good. */
  async #gone(make: Parameters<Connection["call"]>[0]): Promise<void> {
    await this.#connection.call(make).catch((error) => (isNotFound(error) ? undefined : Promise.reject(error)));
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof RpcError && error.code === "not_found";
}

/** What a client is told when a gateway or a sandbox dies under its hands. Anything else is a fault. */
function isOfADeath(error: unknown): boolean {
  if (error instanceof BrokenOff || error instanceof RelayClosed) return true;
  // A sandbox that is just starting again, or being stopped.
  return error instanceof RpcError && ["failed_precondition", "deadline_exceeded", "aborted"].includes(error.code);
}

function ignoreDeath(error: unknown): void {
  if (!isOfADeath(error)) throw error;
}
