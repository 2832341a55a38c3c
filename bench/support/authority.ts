/**
 * An authority for the bench's own TLS server. The supervisor verifies upstreams against the system's bundle, so the
 * bench runs in a mount namespace of its own in which that bundle holds the authority too; the machine's stays as it is.
 * There it has a copy of /etc, and not only a file mounted over the bundle: where files of /etc are mount points, sandboxes
 * are built in another and slower way, and everything else would be measured so.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "../../e2e/support/certificates.ts";
import { exitOf } from "./command.ts";
import type { Missing } from "./line.ts";

/** Certificate and key, both PEM. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
  /** The certificate's file. */
  readonly file: string;
}

const TRUST_STORE = "/etc/ssl/certs/ca-certificates.crt";
const OWN_ETC = `set -e
copy=$1 bundle=$2 store=$3
shift 3
mount -t tmpfs -o mode=0755 tmpfs "$copy"
cp -a /etc/. "$copy"
mount --bind "$copy" /etc
rm -f "$store"
cp "$bundle" "$store"
exec "$@"`;
/** Tells the bench inside where the authority is. */
export const directoryVariable = "OPENSHELL_BENCH_DIRECTORY";

/** Whether this machine lets us have such a namespace: only root's gateway would be the same in it as outside. */
export function canTrustOwnAuthority(): boolean {
  return process.geteuid?.() === 0 && existsSync(TRUST_STORE);
}

/** Runs this program again in that namespace. @returns its exit code */
export async function runTrusting(directory: string): Promise<number> {
  const authority = createAuthority("Bench Authority");
  const bundle = join(directory, "bundle.crt");
  writeFileSync(join(directory, "authority.crt"), authority.certificate);
  writeFileSync(join(directory, "authority.key"), authority.key, { mode: 0o600 });
  writeFileSync(bundle, `${readFileSync(TRUST_STORE, "utf8")}\n${authority.certificate}`, { mode: 0o644 });
  const copy = join(directory, "etc");
  mkdirSync(copy);
  const again = [process.execPath, ...process.argv.slice(1)];
  const child = spawn("unshare", ["--mount", "sh", "-c", OWN_ETC, "sh", copy, bundle, TRUST_STORE, ...again], {
    stdio: "inherit",
    env: { ...process.env, [directoryVariable]: directory },
  });
  // Ctrl-C reaches the child by itself; it tidies up, and this program after it.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const code = await exitOf(child);
  return typeof code === "number" ? code : 1;
}

/** The authority that `runTrusting` made. */
export function readAuthority(directory: string): Authority | Missing {
  const file = join(directory, "authority.crt");
  if (!existsSync(file)) return { name: "TLS", missing: `it needs root and ${TRUST_STORE}` };
  return { file, certificate: readFileSync(file, "utf8"), key: readFileSync(join(directory, "authority.key"), "utf8") };
}
