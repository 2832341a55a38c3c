/** A forward proxy as companies have them: squid, with a user and a password, and a log of what it was asked. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "./front-servers.ts";

export interface CorporateProxy extends AsyncDisposable {
  readonly address: string;
  /** Requests that were let through, such as `CONNECT 10.77.0.1:443`. */
  tunnels(): readonly string[];
}

/** Its user is `me`, with the password `s@cret`. */
export async function startCorporateProxy(port: number): Promise<CorporateProxy> {
  const files = mkdtempSync(join(tmpdir(), "openshell-proxy-"));
  // Squid does not stay root.
  chmodSync(files, 0o777);
  const passwords = join(files, "passwords");
  const log = join(files, "access.log");
  const hash = execFileSync("openssl", ["passwd", "-apr1", "s@cret"], { encoding: "utf8" });
  writeFileSync(passwords, `me:${hash}`);
  const configuration = () => `
http_port 127.0.0.1:${port}
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${passwords}
auth_param basic children 1 startup=1 idle=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
logformat asked %>Hs %rm %ru
access_log stdio:${log} logformat=asked
buffered_logs off
pid_filename none
cache_log /dev/null
cache_store_log none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds`;
  const command = (file: string) => ["squid", "-N", "-n", "corporate", "-f", file] as const;
  const server = await startServer({ package: "squid-openssl", configuration, command }, { own: port, origin: 0 });
  return {
    address: `127.0.0.1:${port}`,
    tunnels: () =>
      readFileSync(log, "utf8")
        .split("\n")
        .flatMap((line) => /^200 (.*)$/.exec(line)?.[1] ?? []),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(files, { recursive: true });
    },
  };
}
