/** Gateways that take turns on one database: whichever way one of them goes, the next one leads, and never do two. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { Secret } from "../../../secrets/secret.ts";
import { createGatewayLog } from "../../gateway-log.ts";
import { openStore } from "../open-store.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "../test-support/postgres-server.ts";
import type { LeaderAddress } from "./leadership.ts";

const PROGRAM = fileURLToPath(new URL("../test-support/leader-program.ts", import.meta.url));
const address: LeaderAddress = { host: "second.example.invalid", apiPort: 1, supervisorsPort: 2 };

interface Leader {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** The next line that it says. */
  next(): Promise<string>;
  create(name: string): void;
}

describe("the lead over a database", { skip: postgresMissing() }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  const leaders: Leader[] = [];
  afterEach(() => {
    for (const { process } of leaders.splice(0)) process.kill("SIGKILL");
  });
  after(() => server[Symbol.asyncDispose]());

  const startLeader = async (url: string): Promise<Leader> => {
    const process_ = spawn(process.execPath, [PROGRAM, url], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(process_.stdout)[Symbol.asyncIterator]();
    const leader: Leader = {
      process: process_,
      next: async () => String((await lines.next()).value),
      create: (name) => void process_.stdin.write(`${name}\n`),
    };
    leaders.push(leader);
    assert.equal(await leader.next(), "leads");
    return leader;
  };
  /** Waits in this process; gives the store once it leads. */
  const standBy = (url: string) => {
    const seen: (LeaderAddress | undefined)[] = [];
    const { promise: looked, resolve } = Promise.withResolvers<void>();
    const standby = {
      address,
      onLeader: (leader: LeaderAddress | undefined) => {
        seen.push(leader);
        resolve();
      },
    };
    const leading = openStore({
      stateDirectory: "/nonexistent",
      databaseUrl: new Secret(url),
      log: createGatewayLog(() => {}, Date.now),
      onTaken: () => assert.fail("nobody else has it"),
      standby,
    });
    return { leading, looked, seen };
  };
  const sql = async (url: string, text: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(text);
    await client.end();
    return rows;
  };

  it("is a standby's as soon as the leader is killed, with all that was acknowledged", async () => {
    const url = await server.createDatabase();
    const leader = await startLeader(url);
    const { leading, looked } = standBy(url);
    await looked;
    leader.create("kept");
    assert.equal(await leader.next(), "kept stored");
    leader.process.kill("SIGKILL");
    const store = await leading;
    assert.equal((await store.sandboxes.get("kept"))?.name, "kept");
    assert.deepEqual((await sql(url, "SELECT address FROM leadership"))[0]?.address, address);
    await store.close();
  });

  it("is lost by a leader that is frozen, which changes nothing any more when it thaws", async () => {
    const url = await server.createDatabase();
    const leader = await startLeader(url);
    leader.process.kill("SIGSTOP");
    // As if it had been frozen for long.
    await sql(url, "UPDATE leadership SET renewed_at = renewed_at - interval '1 hour'");
    const { leading } = standBy(url);
    const store = await leading;
    leader.create("late");
    const exited = once(leader.process, "exit");
    leader.process.kill("SIGCONT");
    const said = new Set([await leader.next(), await leader.next()]);
    assert.ok(!said.has("late stored"), [...said].join(", "));
    assert.ok(said.has("taken"), [...said].join(", "));
    assert.deepEqual(await exited, [1, null]);
    assert.equal(await store.sandboxes.get("late"), undefined);
    await store.close();
  });

  it("stays a leader's whose session with the server breaks, unless a standby was quicker", async () => {
    const url = await server.createDatabase();
    const leader = await startLeader(url);
    const { leading, looked } = standBy(url);
    await looked;
    const others = "datname = current_database() AND pid <> pg_backend_pid()";
    await sql(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others}`);
    // A statement that finds its connection broken is an error; the next one makes a new one.
    let said = "refused";
    for (let name = 0; /refused/.test(said); name++) {
      leader.create(`box-${name}`);
      said = await leader.next();
    }
    // The standby stands back for two seconds: on a machine without time for the leader, that may be less than it takes.
    assert.match(said, / stored$|^taken$/);
    leader.process.kill("SIGKILL");
    await (await leading).close();
  });
});
