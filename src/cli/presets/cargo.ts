/**
 * From where cargo fetches. What is set stands in its configuration; its own index, which is meant where nothing is set, it
 * says nowhere, so it is watched: it is made to ask for a crate by way of a proxy that opens no connection.
 */
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { systemCertificates } from "../../net/system-certificates.ts";
import type { Environment } from "../command-context.ts";
import { found, isExecutable, said } from "./installed-program.ts";

/** An index that does not answer is done without. */
const INDEX_TIMEOUT_MS = 5_000;

/** Throws CommandFailure without a cargo. */
export async function cargoPrograms(environment: Environment): Promise<readonly string[]> {
  const cargo = realpathSync(found("cargo", environment));
  return [...new Set([cargo, ...(await toolchainCargo(environment))])];
}

/** rustup's `cargo` starts another one, which lies beside the compiler. */
async function toolchainCargo(environment: Environment): Promise<string[]> {
  const root = await said("rustc", ["--print", "sysroot"], environment).catch(() => "");
  const path = join(root.trim(), "bin", "cargo");
  return root.startsWith("/") && isExecutable(path) ? [realpathSync(path)] : [];
}

/** URLs of the indexes, and of where they say that their crates are. */
export async function cargoSources(environment: Environment): Promise<string> {
  const home = environment["CARGO_HOME"] ?? join(environment["HOME"] ?? "/", ".cargo");
  const configured = [join(home, "config.toml"), join(home, "config")].map(textOf).join("\n");
  const settings = configured.matchAll(/^\s*(?:registry|index)\s*=\s*"(?:sparse\+)?(https?:[^"]+)"/gm);
  const indexes = Array.from(settings, ([, url]) => url ?? "");
  if (indexes.length > 0) return indexes.join("\n");
  const index = await ownIndex(environment);
  if (index === undefined) return "";
  return `${index}\n${await cratesOf(index)}`;
}

/** The index that cargo connects to by itself; undefined if it connects nowhere. */
async function ownIndex(environment: Environment): Promise<string | undefined> {
  const asked = new Set<string>();
  const proxy = createServer((client) => {
    client.on("error", () => {});
    client.once("data", (head) => {
      const host = /^CONNECT (\S+) /.exec(head.toString("latin1"))?.[1];
      if (host !== undefined) asked.add(`https://${host}/`);
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    });
  });
  const folder = mkdtempSync(join(tmpdir(), "openshell-cargo-"));
  try {
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    writeFileSync(join(folder, "lib.rs"), "");
    writeFileSync(join(folder, "Cargo.toml"), emptyPackage);
    const { port } = proxy.address() as AddressInfo;
    const settings = { CARGO_HTTP_PROXY: `http://127.0.0.1:${port}`, CARGO_NET_RETRY: "0", CARGO_NET_OFFLINE: "false" };
    // It fails, of course.
    await said("cargo", ["fetch", "--manifest-path", join(folder, "Cargo.toml")], {
      ...environment,
      ...settings,
    }).catch(() => "");
    return [...asked][0];
  } finally {
    proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** With a dependency, of which only the index would know whether there is one. */
const emptyPackage = `[package]
name = "openshell-asks"
version = "0.0.0"
[lib]
path = "lib.rs"
[dependencies]
openshell-asks-for = "1"
`;

/** Where an index says that its crates are (The Cargo Book, "Index Format"); empty if it can't be asked. */
async function cratesOf(index: string): Promise<string> {
  try {
    const request = get(`${index}config.json`, { ca: systemCertificates(), timeout: INDEX_TIMEOUT_MS });
    request.on("timeout", () => request.destroy());
    const [response] = await once(request, "response");
    return String(JSON.parse(await text(response)).dl ?? "");
  } catch {
    return "";
  }
}

/** Empty if there is no such file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
