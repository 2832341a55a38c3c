/**
 * Where the API listens, and as whom, for a gateway that is not only its own machine's: `server.yaml` in the user's
 * configuration directory. Read once; what can't be used keeps the gateway from starting.
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { type Problem, placeInfo } from "../../policy/problem.ts";
import { listOf, record, text } from "../../policy/readers.ts";
import { placeOf } from "../../policy/tree.ts";
import { problemText, readConfigurationFile } from "../configuration-file.ts";

export interface ServerSettings {
  /** An address of this machine's, or all of them (`::`); absent: loopback. */
  readonly listen?: string;
  /** By which clients reach it, besides `localhost`: for its own certificate. */
  readonly names: readonly string[];
  /** PEM, in place of its own certificate, from an authority that clients know already. */
  readonly certificate?: { readonly chain: string; readonly key: string };
}

const fileSchema = record({ listen: text, names: listOf(text), certificate: text, key: text });
const NAME = /^(\*\.)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/i;

/** @throws Error with what is wrong, and its line */
export function readServerSettings(configDirectory: string): ServerSettings {
  const path = join(configDirectory, "server.yaml");
  const file = readConfigurationFile(path, fileSchema);
  if (file === undefined) return { names: [] };
  const { listen, names = [], certificate, key } = file.written;
  const refuse = (at: keyof typeof file.written, message: string): Error => {
    const problem: Problem = { severity: "error", key: [at], message, ...placeInfo(placeOf(file.tree, [at])) };
    return new Error(problemText([problem], path));
  };
  if (listen !== undefined && isIP(listen) === 0) throw refuse("listen", `"${listen}" is no address`);
  const wrong = names.find((name) => !NAME.test(name) && isIP(name) === 0);
  if (wrong !== undefined) throw refuse("names", `"${wrong}" is neither a host's name nor an address`);
  const settings = { names, ...(listen !== undefined && { listen }) };
  if (certificate === undefined && key === undefined) return settings;
  if (certificate === undefined || key === undefined)
    throw refuse(key === undefined ? "certificate" : "key", "the other half is missing");
  try {
    const pair = {
      chain: readFileSync(resolve(configDirectory, certificate), "utf8"),
      key: readFileSync(resolve(configDirectory, key), "utf8"),
    };
    createSecureContext({ cert: pair.chain, key: pair.key });
    return { ...settings, certificate: pair };
  } catch (error) {
    throw refuse(
      "certificate",
      `can't be used with this key: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
