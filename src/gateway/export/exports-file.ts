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
  | {
      readonly kind: "syslog";
      readonly transport: "tcp" | "tls" | "udp";
      readonly host: string;
      readonly port: number;
      /** In PEM: the authorities of a receiver over TLS, in place of those that Node knows. */
      readonly authorities?: string;
    }
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
/** RFC 5425, section 4.1. */
const SYSLOG_TLS_PORT = 6514;

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
        ca_file: text,
      },
      ["name", "type"],
    ),
  ),
});

type Written = NonNullable<NonNullable<ValueOf<typeof fileSchema>>["exports"]>[number];

/** Keys that a type has besides its name; the first is required. */
const keysOf = {
  file: ["path", "kept_files"],
  syslog: ["address", "ca_file"],
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
        return this.#syslog(written, index);
      case "webhook":
      case "otlp": {
        if (!/^https?:$/.test(URL.parse(written.url ?? "")?.protocol ?? "")) {
          return this.#add(index, "url", "must be an http or https URL");
        }
        const common = { url: written.url ?? "", headers: Object.fromEntries(written.headers ?? []) };
        if (type === "otlp") return { kind: type, ...common };
        if (written.secret_file === undefined) return { kind: type, ...common };
        const secret = this.#content(written.secret_file, index, "secret_file");
        return secret === undefined ? undefined : { kind: type, ...common, secret };
      }
      default:
        return type satisfies never;
    }
  }

  #syslog({ address = "", ca_file: authorityFile }: Written, index: number): ExportTarget | undefined {
    const [, transport = "", host, port] =
      /^(tcp|tls|udp):\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]+)(?::([0-9]{1,5}))?$/.exec(address) ?? [];
    if (host === undefined || Number(port ?? 1) > 65_535 || port === "0") {
      return this.#add(index, "address", "must be tcp://HOST[:PORT], tls://HOST[:PORT] or udp://HOST[:PORT]");
    }
    if (authorityFile !== undefined && transport !== "tls") return this.#add(index, "ca_file", "is for tls:// only");
    const authorities = authorityFile === undefined ? undefined : this.#content(authorityFile, index, "ca_file");
    if (authorityFile !== undefined && authorities === undefined) return undefined;
    return {
      kind: "syslog",
      transport: transport as "tcp" | "tls" | "udp",
      host: host.replace(/^\[|\]$/g, ""),
      port: Number(port ?? (transport === "tls" ? SYSLOG_TLS_PORT : SYSLOG_PORT)),
      ...(authorities !== undefined && { authorities }),
    };
  }

  /** Relative names are relative to the directory of the file that has them. */
  #content(path: string, index: number, key: "secret_file" | "ca_file"): string | undefined {
    try {
      const content = readFileSync(resolve(this.#directory, path), "utf8").trim();
      return content === "" ? this.#add(index, key, "is empty") : content;
    } catch (error) {
      return this.#add(index, key, `can't be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  #add(index: number, key: string, message: string): undefined {
    const keyPath = ["exports", index, key];
    this.#problems.push({ severity: "error", key: keyPath, message, ...placeInfo(placeOf(this.#tree, keyPath)) });
    return undefined;
  }
}
