/** A PostgreSQL server of the tests' own: Debian's programs, a directory of its own, a Unix socket and no port. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

export interface PostgresServer extends AsyncDisposable {
  /** Makes an empty database, and gives its URL. */
  createDatabase(): Promise<string>;
  /** Its files that hold one of these texts, write-ahead log and all, once what it still has in memory is on disk. */
  filesWith(texts: readonly string[]): Promise<string[]>;
  /** Ends the server as a crash would, and starts it again on the same data. */
  crash(): Promise<void>;
}

/** The server refuses to run as root; this one is nobody in particular. */
const SERVER_UID = 65_534;
/** Milliseconds between looks whether it answers. */
const INTERVAL_MS = 20;

/** Where Debian keeps the newest server's programs; undefined where none is installed. */
function programs(): string | undefined {
  const found = globSync("/usr/lib/postgresql/*/bin/initdb").sort((a, b) => version(a) - version(b));
  const newest = found.at(-1);
  return newest && dirname(newest);
}

function version(path: string): number {
  return Number(path.split("/")[4]);
}

/** Why these tests can't run, for `skip`; false: they can. */
export function postgresMissing(): string | false {
  return programs() === undefined ? "PostgreSQL is not installed (Debian's package postgresql)" : false;
}

export async function startPostgres(): Promise<PostgresServer> {
  const bin = programs() ?? "";
  const directory = mkdtempSync(join(tmpdir(), "openshell-postgres-"));
  const identity = process.geteuid?.() === 0 ? { uid: SERVER_UID, gid: SERVER_UID } : {};
  if (identity.uid !== undefined) chownSync(directory, identity.uid, identity.gid);
  const data = join(directory, "data");
  execFileSync(join(bin, "initdb"), ["-D", data, "-U", "openshell", "-A", "trust", "--no-sync"], {
    ...identity,
    stdio: "pipe",
    cwd: directory,
  });
  const start = async () => {
    // The machine itself does not crash in a test, and fsync takes most of the time.
    const options = ["-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off"];
    const server = spawn(join(bin, "postgres"), options, { ...identity, stdio: "ignore", cwd: directory });
    while (!(await answers(directory))) {
      if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
      await wait(INTERVAL_MS);
    }
    return server;
  };
  let server = await start();
  let databases = 0;
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  };
  return {
    async createDatabase() {
      const name = `database_${++databases}`;
      await withClient(directory, (client) => client.query(`CREATE DATABASE ${name}`));
      return urlOf(directory, name);
    },
    async filesWith(texts) {
      await withClient(directory, (client) => client.query("CHECKPOINT"));
      const files = globSync("**/*", { cwd: data, withFileTypes: true }).filter((entry) => entry.isFile());
      const paths = files.map(({ parentPath, name }) => join(parentPath, name));
      return paths.filter((path) => {
        const content = readFileSync(path);
        return texts.some((text) => content.includes(text));
      });
    },
    async crash() {
      // SIGQUIT: every process of the server ends at once and cleans nothing up (postgres(1), "immediate shutdown").
      await end("SIGQUIT");
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await end("SIGINT");
      rmSync(directory, { recursive: true });
    },
  };
}

function urlOf(directory: string, database: string): string {
  return `postgres:///${database}?user=openshell&host=${encodeURIComponent(directory)}`;
}

async function withClient<T>(directory: string, act: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: urlOf(directory, "postgres") });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}

async function answers(directory: string): Promise<boolean> {
  try {
    await withClient(directory, (client) => client.query("SELECT 1"));
    return true;
  } catch {
    return false;
  }
}
