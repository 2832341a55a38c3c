/**
 * Other proxies that look into TLS, in a network namespace of the bench's own: nft redirects what leaves by TCP to them, as
 * it does in a sandbox, and they connect to the origin beside them. Each runs as a user of its own, by which the
 * redirection knows its connections.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Authority } from "../support/authority.ts";
import { type Command, exitOf, outputOf } from "../support/command.ts";
import { bigBytes, bigFile, origin } from "./origin.ts";

export const rivalHost = "origin.bench.test";
const address = "10.99.0.1";
const originPort = 443;
/** Not root, and nobody's: what they send is not redirected again. */
const rivalUser = 65_533;

export interface Rivals extends AsyncDisposable {
  /** `undefined`: nothing in between. */
  through(rival: RivalName | undefined): Promise<void>;
  run(command: Command): Promise<string>;
}

export type RivalName = "squid, ssl-bump" | "squid, spliced" | "mitmproxy";

const ports: Readonly<Record<RivalName, number>> = {
  "squid, ssl-bump": 3130,
  "squid, spliced": 3131,
  mitmproxy: 3132,
};

/** The programs that are needed and not there. */
export function missingPrograms(
  needed: readonly string[] = ["wrk", "h2load", "nginx", "squid", "mitmdump", "curl", "nft"],
): string[] {
  return needed.filter((program) => {
    try {
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
}

/** Starts the origin and all rivals. Needs root. */
export async function startRivals(authority: Authority): Promise<Rivals> {
  const directory = mkdtempSync(join(tmpdir(), "openshell-rivals-"));
  chmodSync(directory, 0o755);
  const namespace = `openshell-bench-${process.pid}`;
  const ip = (...args: string[]) => execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
  ip("netns", "add", namespace);
  ip("-n", namespace, "link", "set", "lo", "up");
  ip("-n", namespace, "addr", "add", `${address}/32`, "dev", "lo");
  // ip-netns(8): what lies here is seen in the namespace in place of the machine's own.
  const names = join("/etc/netns", namespace);
  mkdirSync(names, { recursive: true });
  writeFileSync(join(names, "hosts"), `127.0.0.1 localhost\n${address} ${rivalHost}\n`);
  const inside = ({ file, args }: Command): Command => ({
    file: "ip",
    args: ["netns", "exec", namespace, file, ...args],
  });
  const children = [
    origin(directory, { host: rivalHost, address, port: originPort }, authority),
    asRival(mitmproxy(directory, authority)),
    asRival(squid(directory, "squid, ssl-bump", "bump", authority)),
    asRival(squid(directory, "squid, spliced", "splice", authority)),
  ].map((command) => {
    const { file, args } = inside(command);
    return spawn(file, args, { stdio: "ignore", env: { ...process.env, HOME: join(directory, "home") } });
  });
  execFileSync("truncate", ["-s", `${bigBytes}`, bigFile(directory)]);
  const rivals: Rivals = {
    async through(rival) {
      const rules = rival === undefined ? "" : redirection(ports[rival]);
      execFileSync("ip", ["netns", "exec", namespace, "nft", "-f", "-"], {
        input: `table ip bench\nflush table ip bench\ntable ip bench {\n${rules}\n}`,
      });
      if (rival !== undefined) await listening(namespace, ports[rival]);
    },
    run: (command) => outputOf(inside(command)),
    async [Symbol.asyncDispose]() {
      // Not SIGKILL: squid has helpers to end, and segments of shared memory to remove.
      const ended = children.map((child) => exitOf(child));
      for (const child of children) child.kill("SIGTERM");
      await Promise.all(ended);
      ip("netns", "del", namespace);
      rmSync(names, { recursive: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return rivals;
}

function redirection(port: number): string {
  return `chain out {
  type nat hook output priority -100;
  ip daddr ${address} tcp dport ${originPort} meta skuid != ${rivalUser} redirect to :${port}
}`;
}

function asRival({ file, args }: Command): Command {
  const user = ["--reuid", `${rivalUser}`, "--regid", `${rivalUser}`, "--clear-groups"];
  return { file: "setpriv", args: [...user, file, ...args] };
}

function squid(directory: string, name: RivalName, action: "bump" | "splice", authority: Authority): Command {
  const own = own0700(directory, action);
  writeFileSync(join(own, "authority.pem"), `${authority.key}\n${authority.certificate}`);
  writeFileSync(join(own, "trusted.pem"), authority.certificate);
  const certificates = join(own, "certificates");
  const generator = "/usr/lib/squid/security_file_certgen";
  execFileSync(generator, ["-c", "-s", certificates, "-M", "4MB"], { stdio: "ignore" });
  execFileSync("chown", ["-R", `${rivalUser}:${rivalUser}`, own]);
  writeFileSync(
    join(own, "squid.conf"),
    `
http_port 127.0.0.1:${ports[name] + 100}
https_port 127.0.0.1:${ports[name]} intercept ssl-bump generate-host-certificates=on cert=${own}/authority.pem
sslcrtd_program ${generator} -s ${certificates} -M 4MB
acl start at_step SslBump1
ssl_bump peek start
ssl_bump ${action} all
tls_outgoing_options cafile=${own}/trusted.pem
host_verify_strict off
client_dst_passthru on
http_access allow all
cache deny all
pid_filename none
access_log stdio:${own}/access.log squid
cache_log /dev/null
cache_store_log none
pinger_enable off
shutdown_lifetime 0 seconds
dns_nameservers 127.0.0.1
`,
  );
  // Two of them need two names for their shared memory.
  return { file: "squid", args: ["-N", "-n", `bench${action}`, "-f", join(own, "squid.conf")] };
}

function mitmproxy(directory: string, authority: Authority): Command {
  const own = own0700(directory, "mitmproxy");
  writeFileSync(join(own, "trusted.pem"), authority.certificate);
  execFileSync("chown", ["-R", `${rivalUser}:${rivalUser}`, own]);
  const set = (option: string): string[] => ["--set", option];
  return {
    file: "mitmdump",
    args: [
      ...["--quiet", "--mode", "transparent", "--listen-host", "127.0.0.1", "--listen-port", `${ports.mitmproxy}`],
      ...set(`confdir=${own}`),
      ...set(`ssl_verify_upstream_trusted_ca=${own}/trusted.pem`),
      ...set("stream_large_bodies=1m"),
      ...set("flow_detail=0"),
    ],
  };
}

function own0700(directory: string, name: string): string {
  const own = join(directory, name);
  mkdirSync(own, { mode: 0o700 });
  return own;
}

/** Waits until the port is taken; a Python program takes seconds to start. */
async function listening(namespace: string, port: number): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    const taken = execFileSync("ip", ["netns", "exec", namespace, "ss", "-Hltn", `sport = :${port}`], {
      encoding: "utf8",
    });
    if (taken.trim() !== "") return;
    await sleep(200);
  }
  throw new Error(`nobody listens on ${port}`);
}
