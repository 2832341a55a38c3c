/**
 * Where audit events go besides this gateway: `exports.yaml` in the user's configuration directory. Read once; what can't
 * be used keeps the gateway from starting, since an audit trail that silently goes nowhere is worse.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Problem, placeInfo } from "../../policy/problem.ts";
import { integer, listOf, mapOf, oneOf, record, text, type ValueOf } from "../../policy/readers.ts";
import { placeOf, type Tree } from "../../policy/tree.ts";
import { problemText, readConfigurationFile } from "../configuration-file.ts";

export type ExportTarget =
  | { readonly kind: "file"; readonly path: string; readonly keptFiles: number }
  | { readonly kind: "syslog"; readonly transport: "tcp" | "udp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "webhook";
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Signs each body. */
      readonly secret?: string;
    }
  | { readonly kind: "otlp"; readonly url: string; readonly headers: Readonly<Record<string, string>> };

export interface ExportSettings {
  /** Unique; what its place in the events is kept under. */
  readonly name: string;
  readonly target: ExportTarget;
}

/** Today's file and those of the two days before. */
export const DEFAULT_KEPT_FILES = 3;
const SYSLOG_PORT = 514;

const fileSchema = record({
  exports: listOf(
    record(
      {
        name: text,
        type: oneOf("file", "syslog", "webhook", "otlp"),
        path: text,
        kept_files: integer(1, 366),
        address: text,
        url: text,
        headers: mapOf(text),
        secret_file: text,
      },
      ["name", "type"],
    ),
  ),
});

type Written = NonNullable<NonNullable<ValueOf<typeof fileSchema>>["exports"]>[number];

/** Keys that a type has besides its name; the first is required. */
const keysOf = {
  file: ["path", "kept_files"],
  syslog: ["address"],
  webhook: ["url", "headers", "secret_file"],
  otlp: ["url", "headers"],
} as const;

/** @throws Error with every problem, each with its line */
export function readExports(configDirectory: string): readonly ExportSettings[] {
  const path = join(configDirectory, "exports.yaml");
  const file = readConfigurationFile(path, fileSchema);
  if (file === undefined) return [];
  const written = file.written.exports ?? [];
  const problems: Problem[] = [];
  const reader = new ExportReader(file.tree, problems, configDirectory);
  const settings = written.flatMap((one, index) => reader.read(one, index, written) ?? []);
  if (problems.length > 0) throw new Error(problemText(problems, path));
  return settings;
}

class ExportReader {
  readonly #tree: Tree;
  readonly #problems: Problem[];
  readonly #directory: string;

  constructor(tree: Tree, problems: Problem[], directory: string) {
    this.#tree = tree;
    this.#problems = problems;
    this.#directory = directory;
  }

  read(written: Written, index: number, all: readonly Written[]): ExportSettings | undefined {
    const { name = "", type = "file" } = written;
    if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
      return this.#add(index, "name", "must be made of lower-case letters, digits, - and _");
    }
    if (all.findIndex((other) => other.name === name) !== index) return this.#add(index, "name", "is there twice");
    const keys: readonly string[] = keysOf[type];
    const foreign = Object.keys(written).find((key) => key !== "name" && key !== "type" && !keys.includes(key));
    if (foreign !== undefined) return this.#add(index, foreign, `is nothing that an export of type ${type} has`);
    const target = this.#target(written, type, index);
    return target && { name, target };
  }

  #target(written: Written, type: keyof typeof keysOf, index: number): ExportTarget | undefined {
    switch (type) {
      case "file": {
        if (!written.path?.startsWith("/")) return this.#add(index, "path", "must be an absolute path");
        return { kind: "file", path: written.path, keptFiles: written.kept_files ?? DEFAULT_KEPT_FILES };
      }
      case "syslog":
        return this.#syslog(written.address ?? "", index);
      case "webhook":
      case "otlp": {
        if (!/^https?:$/.test(URL.parse(written.url ?? "")?.protocol ?? "")) {
          return this.#add(index, "url", "must be an http or https URL");
        }
        const common = { url: written.url ?? "", headers: Object.fromEntries(written.headers ?? []) };
        if (type === "otlp") return { kind: type, ...common };
        if (written.secret_file === undefined) return { kind: type, ...common };
        const secret = this.#secret(written.secret_file, index);
        return secret === undefined ? undefined : { kind: type, ...common, secret };
      }
      default:
        return type satisfies never;
    }
  }

  #syslog(address: string, index: number): ExportTarget | undefined {
    const [, transport, host, port] =
      /^(tcp|udp):\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]+)(?::([0-9]{1,5}))?$/.exec(address) ?? [];
    if (host === undefined || Number(port ?? 1) > 65_535 || port === "0") {
      return this.#add(index, "address", "must be tcp://HOST[:PORT] or udp://HOST[:PORT]");
    }
    const isUdp = transport === "udp";
    const bare = host.replace(/^\[|\]$/g, "");
    return { kind: "syslog", transport: isUdp ? "udp" : "tcp", host: bare, port: Number(port ?? SYSLOG_PORT) };
  }

  /** Relative names are relative to the directory of the file that has them. */
  #secret(path: string, index: number): string | undefined {
    try {
      const secret = readFileSync(resolve(this.#directory, path), "utf8").trim();
      return secret === "" ? this.#add(index, "secret_file", "is empty") : secret;
    } catch (error) {
      return this.#add(index, "secret_file", `can't be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  #add(index: number, key: string, message: string): undefined {
    const keyPath = ["exports", index, key];
    this.#problems.push({ severity: "error", key: keyPath, message, ...placeInfo(placeOf(this.#tree, keyPath)) });
    return undefined;
  }
}
