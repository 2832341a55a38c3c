/**
 * A gateway's state in one file, from which it can be put together again: the state database as it was at one moment, and
 * in a table of its own the files without which that is of no use. Left out are the sandboxes' own files, and the copy of
 * their logs that the gateway keeps.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readRunningGateway } from "../../locations/running-gateway.ts";
import { STATE_SCHEMA } from "../../state-schema.ts";
import { CommandFailure } from "../command-failure.ts";

const DATABASE = "state.db";
/** What SQLite keeps beside a database; of another database it would be poison. */
const BESIDE = ["-wal", "-shm", "-journal"];
/** Keys of the stored secrets, and the gateway's certificates. */
const KEY_FILE = "secrets.key";
const CERTIFICATES = "certificates";

/** Writes the backup, for its owner alone. The gateway may run meanwhile. Throws CommandFailure. */
export function backUpGateway(state: string, file: string): void {
  if (!existsSync(join(state, DATABASE))) throw new CommandFailure(`there is no gateway's state in ${state}`);
  if (existsSync(file)) throw new CommandFailure(`${file} exists already`, { hint: "name a file that does not" });
  const partial = `${file}.partial`;
  rmSync(partial, { force: true });
  try {
    // Made before SQLite writes into it, so that nobody else can ever read it.
    closeSync(openSync(partial, "wx", 0o600));
    copyDatabase(join(state, DATABASE), partial);
    addFiles(partial, state);
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw unusable(`no backup was made: ${wordsOf(error)}`);
  }
}

function copyDatabase(from: string, to: string): void {
  using database = new DatabaseSync(from, { readOnly: true });
  database.prepare("VACUUM INTO ?").run(to);
}

function addFiles(backup: string, state: string): void {
  using database = new DatabaseSync(backup);
  database.exec("CREATE TABLE backup_files (path TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT");
  const insert = database.prepare("INSERT INTO backup_files VALUES (?, ?)");
  const certificates = join(state, CERTIFICATES);
  const names = existsSync(certificates) ? readdirSync(certificates).map((name) => join(CERTIFICATES, name)) : [];
  for (const path of [KEY_FILE, ...names].filter((path) => existsSync(join(state, path)))) {
    insert.run(path, readFileSync(join(state, path)));
  }
}

/** Puts the state of the backup in place of what is there. Throws CommandFailure, and has changed nothing then. */
export function restoreGateway(file: string, state: string, { force }: { readonly force: boolean }): void {
  if (readRunningGateway(state)) {
    throw new CommandFailure("the local gateway runs", { hint: "stop it first: `openshell gateway stop`" });
  }
  if (existsSync(join(state, DATABASE)) && !force) {
    throw new CommandFailure(`${state} holds a gateway's state already`, {
      hint: "--force replaces it; sandboxes that the backup does not know are then deleted at the gateway's next start",
    });
  }
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const next = join(state, `${DATABASE}.restored`);
  try {
    const files = unpack(file, next);
    for (const suffix of BESIDE) rmSync(join(state, `${DATABASE}${suffix}`), { force: true });
    for (const [path, content] of files) writeSecret(join(state, path), content);
    renameSync(next, join(state, DATABASE));
  } catch (error) {
    rmSync(next, { force: true });
    throw unusable(`${file} was not restored: ${wordsOf(error)}`);
  }
}

/** Makes the database of the backup at `to`; gives the files. Throws when it is damaged, too new, or no backup. */
function unpack(file: string, to: string): readonly (readonly [path: string, content: Uint8Array])[] {
  if (!existsSync(file)) throw new Error("there is no such file");
  rmSync(to, { force: true });
  copyFileSync(file, to);
  chmodSync(to, 0o600);
  using database = new DatabaseSync(to);
  const check = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
  if (check !== "ok") throw new Error(`it is damaged (${check})`);
  const schema = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (schema > STATE_SCHEMA) {
    throw new Error(`it has schema ${schema}, this version knows ${STATE_SCHEMA}: use a newer openshell`);
  }
  const isBackup = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'backup_files'").get() !== undefined;
  if (!isBackup) throw new Error("it is not a backup that `openshell gateway backup` made");
  const files = database
    .prepare("SELECT path, content FROM backup_files")
    .all()
    .map(({ path, content }) => [placeOf(String(path)), content as Uint8Array] as const);
  database.exec("DROP TABLE backup_files");
  return files;
}

/** Where a file goes: nowhere but where one was taken from, whoever has changed the backup. */
function placeOf(path: string): string {
  const isKnown = path === KEY_FILE || /^certificates\/[\w.-]+$/.test(path);
  if (!isKnown || path.includes("..")) throw new Error(`it holds a file that is none of a gateway's: "${path}"`);
  return path;
}

function writeSecret(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  writeFileSync(path, content, { mode: 0o600 });
}

function unusable(message: string): CommandFailure {
  return new CommandFailure(message, { code: "failed_precondition" });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
