/**
 * What a client knows of a gateway: `gateways/NAME/metadata.json` and, beside it, `mtls/`. File and field names are those
 * of the published CLI, so that either finds the other's gateways.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** `metadata.json`. Fields that we do not know are kept when an entry is written again. */
export interface GatewayMetadata {
  readonly name: string;
  /** Such as `https://127.0.0.1:17670`. */
  readonly gateway_endpoint: string;
  readonly is_remote: boolean;
  readonly gateway_port: number;
  readonly remote_host?: string;
  readonly resolved_host?: string;
  /** Absent means mTLS; `cloudflare_jwt` a login at a proxy in front. */
  readonly auth_mode?: string;
  readonly oidc_issuer?: string;
  readonly oidc_client_id?: string;
  readonly oidc_audience?: string;
  /** With spaces in between. */
  readonly oidc_scopes?: string;
  readonly [other: string]: unknown;
}

/** A client's certificate with its key, and the authority that vouches for the gateway; all PEM. */
export interface MtlsBundle {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Names become directory names, so nothing that could climb out of `gateways/` is one. */
export function isGatewayName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name);
}

/** The entry called `name`, or undefined if there is none or it cannot be read. */
export function readGatewayEntry(configDirectory: string, name: string): GatewayMetadata | undefined {
  if (!isGatewayName(name)) return undefined;
  const text = readIfPresent(join(entryDirectory(configDirectory, name), "metadata.json"));
  return text === undefined ? undefined : parseMetadata(text);
}

/** Writes an entry, replacing one of the same name as a whole. */
export function writeGatewayEntry(configDirectory: string, metadata: GatewayMetadata): void {
  writeAtomically(
    join(entryDirectory(configDirectory, metadata.name), "metadata.json"),
    `${JSON.stringify(metadata, null, 2)}\n`,
  );
}

/** Forgets a gateway: its entry and its credentials, nothing of the gateway itself. */
export function removeGatewayEntry(configDirectory: string, name: string): void {
  rmSync(entryDirectory(configDirectory, name), { recursive: true, force: true });
  if (readActiveGateway(configDirectory) === name) rmSync(activeGatewayPath(configDirectory), { force: true });
}

/** All readable entries, by name. */
export function listGatewayEntries(configDirectory: string): GatewayMetadata[] {
  let names: string[];
  try {
    names = readdirSync(join(configDirectory, "gateways"));
  } catch {
    return [];
  }
  return names
    .sort()
    .map((name) => readGatewayEntry(configDirectory, name))
    .filter((entry) => entry !== undefined);
}

export function readMtlsBundle(configDirectory: string, name: string): MtlsBundle | undefined {
  if (!isGatewayName(name)) return undefined;
  const directory = join(entryDirectory(configDirectory, name), "mtls");
  const [ca, certificate, key] = ["ca.crt", "tls.crt", "tls.key"].map((file) => readIfPresent(join(directory, file)));
  return ca && certificate && key ? { ca, certificate, key } : undefined;
}

export function writeMtlsBundle(configDirectory: string, name: string, bundle: MtlsBundle): void {
  const directory = join(entryDirectory(configDirectory, name), "mtls");
  writeAtomically(join(directory, "ca.crt"), bundle.ca);
  writeAtomically(join(directory, "tls.crt"), bundle.certificate);
  writeAtomically(join(directory, "tls.key"), bundle.key);
}

/** What vouches for the gateway alone, where the user shows a token and no certificate. */
export function readAuthority(configDirectory: string, name: string): string | undefined {
  return isGatewayName(name) ? readIfPresent(join(entryDirectory(configDirectory, name), "mtls", "ca.crt")) : undefined;
}

/** A user's tokens for a gateway, as the identity provider gave them. */
export interface UserToken {
  readonly access_token: string;
  readonly refresh_token?: string;
  /** Milliseconds since the epoch; absent where the provider did not say. */
  readonly expires_at_ms?: number;
}

export function readUserToken(configDirectory: string, name: string): UserToken | undefined {
  if (!isGatewayName(name)) return undefined;
  const text = readIfPresent(tokenPath(configDirectory, name));
  try {
    const token = JSON.parse(text ?? "null") as UserToken | null;
    return typeof token?.access_token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

export function writeUserToken(configDirectory: string, name: string, token: UserToken): void {
  writeAtomically(tokenPath(configDirectory, name), `${JSON.stringify(token)}\n`);
}

/** False when there was none. */
export function removeUserToken(configDirectory: string, name: string): boolean {
  const existed = readUserToken(configDirectory, name) !== undefined;
  rmSync(tokenPath(configDirectory, name), { force: true });
  return existed;
}

/** The token of a proxy's in front of a gateway, where its users log in. */
export function readEdgeToken(configDirectory: string, name: string): string | undefined {
  return isGatewayName(name) ? readIfPresent(edgeTokenPath(configDirectory, name))?.trim() || undefined : undefined;
}

export function writeEdgeToken(configDirectory: string, name: string, token: string): void {
  writeAtomically(edgeTokenPath(configDirectory, name), token);
}

/** False when there was none. */
export function removeEdgeToken(configDirectory: string, name: string): boolean {
  const existed = readEdgeToken(configDirectory, name) !== undefined;
  rmSync(edgeTokenPath(configDirectory, name), { force: true });
  return existed;
}

function edgeTokenPath(configDirectory: string, name: string): string {
  return join(entryDirectory(configDirectory, name), "edge_token");
}

function tokenPath(configDirectory: string, name: string): string {
  return join(entryDirectory(configDirectory, name), "oidc_token.json");
}

/** The name in `active_gateway`, or undefined if none is chosen. */
export function readActiveGateway(configDirectory: string): string | undefined {
  return readIfPresent(activeGatewayPath(configDirectory))?.trim() || undefined;
}

export function writeActiveGateway(configDirectory: string, name: string): void {
  writeAtomically(activeGatewayPath(configDirectory), `${name}\n`);
}

function entryDirectory(configDirectory: string, name: string): string {
  if (!isGatewayName(name)) throw new Error(`"${name}" is not a gateway name`);
  return join(configDirectory, "gateways", name);
}

function activeGatewayPath(configDirectory: string): string {
  return join(configDirectory, "active_gateway");
}

function parseMetadata(text: string): GatewayMetadata | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const usable = typeof value === "object" && value !== null && "name" in value && "gateway_endpoint" in value;
    return usable ? (value as GatewayMetadata) : undefined;
  } catch {
    return undefined;
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Several clients read these files while a gateway writes them; none must see half of one. Keys: 0600 throughout. */
export function writeAtomically(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}
