/**
 * Where the gateway's state is, if not in files of its own, and whether others share it: `database.yaml` in the user's
 * configuration directory. Read once; what can't be used keeps the gateway from starting, rather than from finding its state.
 */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { databaseFilePath } from "../../locations/database-file.ts";
import { type Problem, placeInfo } from "../../policy/problem.ts";
import { flag, record, text } from "../../policy/readers.ts";
import { placeOf } from "../../policy/tree.ts";
import { Secret } from "../../secrets/secret.ts";
import { type ConfigurationFile, problemText, readConfigurationFile } from "../configuration-file.ts";

const fileSchema = record({ url: text, password_file: text, secrets_key_file: text, replicas: flag }, ["url"]);

type Key = "url" | "password_file";

export interface DatabaseSettings {
  /** Of a PostgreSQL database, with its password. */
  readonly url: Secret;
  /** With what the secrets in it are sealed; absent: a file in the state directory. */
  readonly secretsKeyPath?: string;
  /** Whether this gateway waits for its turn where another one leads. */
  readonly replicas: boolean;
}

/**
 * Undefined where the state is in files.
 * @throws Error with what is wrong, and its line
 */
export function readDatabaseSettings(configDirectory: string): DatabaseSettings | undefined {
  const path = databaseFilePath(configDirectory);
  const file = readConfigurationFile(path, fileSchema);
  if (file === undefined) return undefined;
  const { url: written = "", password_file: passwordFile, secrets_key_file: keyFile, replicas = false } = file.written;
  const url = URL.parse(written);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw problem(file, "url", "must be postgres://USER@HOST[:PORT]/DATABASE", path);
  }
  if (url.password !== "" && canOthersRead(path)) {
    throw problem(file, "url", `holds a password, and others can read this file: run \`chmod 600 ${path}\``, path);
  }
  if (passwordFile !== undefined) {
    if (url.password !== "") throw problem(file, "password_file", "is there besides a password in the url", path);
    url.password = encodeURIComponent(readPassword(file, resolve(configDirectory, passwordFile), path));
  }
  return {
    url: new Secret(url.href),
    replicas,
    ...(keyFile !== undefined && { secretsKeyPath: resolve(configDirectory, keyFile) }),
  };
}

function readPassword(file: ConfigurationFile<unknown>, passwordPath: string, path: string): string {
  try {
    return readFileSync(passwordPath, "utf8").trim();
  } catch (error) {
    throw problem(file, "password_file", `can't be read: ${(error as NodeJS.ErrnoException).code}`, path);
  }
}

function canOthersRead(path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0;
}

function problem({ tree }: ConfigurationFile<unknown>, key: Key, message: string, path: string): Error {
  const found: Problem = { severity: "error", key: [key], message, ...placeInfo(placeOf(tree, [key])) };
  return new Error(problemText([found], path));
}
