/**
 * How this machine reaches the network outside: `upstream.yaml` in the user's configuration directory, and for what that
 * does not say, the environment that the gateway was started in. Read once; what can't be used keeps the gateway from
 * starting, rather than from being reached by ways that were not meant.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { compileNoProxy } from "../../net/no-proxy.ts";
import { parseHostPattern } from "../../policy/match/host.ts";
import { formatProblem, type KeyPath, placeInfo } from "../../policy/problem.ts";
import { listOf, oneOf, record, text, type ValueOf } from "../../policy/readers.ts";
import { placeOf, type Tree } from "../../policy/tree.ts";
import type { ClientCertificate, ProxyAddress, UpstreamSettings } from "../../supervisor/launch-spec.ts";
import { readConfigurationFile } from "../configuration-file.ts";
import { besidesSystem, certificatesIn, certificatesOfEnvironment } from "./extra-certificates.ts";
import { parseProxyAddress } from "./proxy-address.ts";

export interface UpstreamConfiguration {
  readonly settings: UpstreamSettings;
  /** Authorities in PEM. */
  readonly extraCertificates: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const fileSchema = record({
  proxy: text,
  no_proxy: listOf(text),
  resolve: oneOf("local", "proxy"),
  extra_ca: listOf(text),
  client_certificates: listOf(record({ host: text, cert: text, key: text }, ["host", "cert", "key"])),
});

type Written = NonNullable<ValueOf<typeof fileSchema>>;

/** The word for no proxy at all, whatever the environment says. */
const noProxyAtAll = "none";

/** @throws Error with every problem, each with its file and line or its variable */
export function readUpstream(configDirectory: string, environment: Environment): UpstreamConfiguration {
  const path = join(configDirectory, "upstream.yaml");
  const file = readConfigurationFile(path, fileSchema);
  if (file === undefined) return settle({}, environment, new Findings());
  return settle(file.written, environment, new Findings({ path, tree: file.tree, configDirectory }));
}

/** Gathers what is wrong, by where it was said. */
class Findings {
  readonly lines: string[] = [];
  readonly #file: { readonly path: string; readonly tree: Tree; readonly configDirectory: string } | undefined;

  constructor(file?: { readonly path: string; readonly tree: Tree; readonly configDirectory: string }) {
    this.#file = file;
  }

  /** `from`: the key in the file, or the name of a variable. */
  add(from: KeyPath | string, message: string): undefined {
    if (typeof from === "string") this.lines.push(`${from}: ${message}`);
    else {
      const place = this.#file && placeInfo(placeOf(this.#file.tree, from));
      this.lines.push(formatProblem({ severity: "error", key: from, message, ...place }, this.#file?.path));
    }
    return undefined;
  }

  /** Reads a file that is named there; relative names are relative to the directory of the file that has them. */
  read(from: KeyPath, path: string): string | undefined {
    try {
      return readFileSync(resolve(this.#file?.configDirectory ?? "", path), "utf8");
    } catch (error) {
      return this.add(from, `can't be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  }
}

function settle(written: Written, environment: Environment, findings: Findings): UpstreamConfiguration {
  const settings: UpstreamSettings = {
    proxies: proxies(written, environment, findings),
    noProxy: noProxy(written, environment, findings),
    resolve: written.resolve ?? "local",
    clientCertificates: clientCertificates(written, findings),
  };
  const certificates = [...certificatesOf(written, findings), ...certificatesOfEnvironment(environment)];
  if (findings.lines.length > 0)
    throw new Error(`the way to the network outside is not clear:\n${findings.lines.join("\n")}`);
  return { settings, extraCertificates: besidesSystem(certificates) };
}

function proxies({ proxy }: Written, environment: Environment, findings: Findings): UpstreamSettings["proxies"] {
  if (proxy === noProxyAtAll) return {};
  if (proxy !== undefined) {
    const address = proxyAddress(["proxy"], proxy, findings);
    return address === undefined ? {} : { http: address, https: address };
  }
  const http = fromVariable("http_proxy", environment, findings);
  const https = fromVariable("https_proxy", environment, findings);
  return { ...(http && { http }), ...(https && { https }) };
}

function fromVariable(name: string, environment: Environment, findings: Findings): ProxyAddress | undefined {
  const [variable, value] = lookUp(name, environment);
  return value === undefined ? undefined : proxyAddress(variable, value, findings);
}

function proxyAddress(from: KeyPath | string, written: string, findings: Findings): ProxyAddress | undefined {
  const address = parseProxyAddress(written);
  return typeof address === "string" ? findings.add(from, address) : address;
}

function noProxy({ no_proxy }: Written, environment: Environment, findings: Findings): readonly string[] {
  const [, value = ""] = lookUp("no_proxy", environment);
  // Other programs pass over what they can't read in the variable; in the file it is a mistake that can be mended.
  if (no_proxy === undefined) return value.split(/[\s,]+/).filter((entry) => compileNoProxy(entry) !== undefined);
  return no_proxy.filter((entry, index) => {
    if (compileNoProxy(entry) !== undefined) return true;
    return findings.add(["no_proxy", index], "is no name, address or block") ?? false;
  });
}

function clientCertificates({ client_certificates = [] }: Written, findings: Findings): ClientCertificate[] {
  return client_certificates.flatMap((one, index) => {
    const key = ["client_certificates", index];
    const { host = "", cert = "" } = one;
    const pattern = parseHostPattern(host);
    if (!pattern.ok) findings.add([...key, "host"], pattern.why);
    const certificate = findings.read([...key, "cert"], cert);
    const privateKey = findings.read([...key, "key"], one.key ?? "");
    if (!pattern.ok || certificate === undefined || privateKey === undefined) return [];
    try {
      createSecureContext({ cert: certificate, key: privateKey });
    } catch {
      findings.add(key, "the certificate and its key are not PEM, or do not belong together");
    }
    return [{ host: pattern.pattern, certificate, key: privateKey }];
  });
}

function certificatesOf({ extra_ca = [] }: Written, findings: Findings): string[] {
  return extra_ca.flatMap((path, index) => {
    const text = findings.read(["extra_ca", index], path);
    const found = text === undefined ? [] : certificatesIn(text);
    if (text !== undefined && found.length === 0) findings.add(["extra_ca", index], "holds no certificate in PEM");
    return found;
  });
}

/** The variable in lower case first, as curl does; an empty one says no. */
function lookUp(name: string, environment: Environment): readonly [variable: string, value: string | undefined] {
  const variable = environment[name] === undefined ? name.toUpperCase() : name;
  return [variable, environment[variable] || undefined];
}
