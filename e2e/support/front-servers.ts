/**
 * Other people's HTTP readers, each as a reverse proxy on loopback in front of an origin. They stand where a real origin's
 * load balancer stands, and read what was forwarded by rules of their own.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface FrontServer extends AsyncDisposable {
  readonly port: number;
}

export interface ServerPorts {
  readonly own: number;
  readonly origin: number;
}

/** A server program of Debian's. */
export interface ServerKind {
  /** Debian's package. */
  readonly package: string;
  readonly configuration: (place: ServerPorts & { readonly directory: string }) => string;
  readonly command: (file: string) => readonly [string, ...string[]];
}

/** nginx in the foreground with all its files in one directory; `http` is what stands in its block of that name. */
export function nginx(http: (ports: ServerPorts) => string): ServerKind {
  return {
    package: "nginx-light",
    configuration: ({ directory, ...ports }) => `
daemon off;
master_process off;
pid ${directory}/pid;
error_log ${directory}/errors;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
${http(ports)}
}`,
    command: (file) => ["nginx", "-c", file],
  };
}

export const frontKinds = {
  nginx: nginx(
    ({ own, origin }) => `
  server {
    listen 127.0.0.1:${own};
    location / {
      proxy_pass http://127.0.0.1:${origin};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
    location ^~ /admin/ { return 200 "administration"; }
  }`,
  ),
  haproxy: {
    package: "haproxy",
    configuration: ({ own, origin }) => `
global
  expose-experimental-directives
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:${own}
  http-request normalize-uri path-merge-slashes
  http-request normalize-uri path-strip-dotdot
  http-request return status 200 content-type text/plain string "administration" if { path_beg /admin/ }
  default_backend out
backend out
  server origin 127.0.0.1:${origin}
`,
    command: (file) => ["haproxy", "-db", "-q", "-f", file],
  },
  squid: {
    package: "squid-openssl",
    configuration: ({ own, origin }) => `
http_port 127.0.0.1:${own} accel defaultsite=origin.test
cache_peer 127.0.0.1 parent ${origin} 0 no-query no-digest originserver
http_access allow all
cache deny all
pid_filename none
access_log none
cache_log /dev/null
cache_store_log none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds`,
    command: (file) => ["squid", "-N", "-f", file],
  },
} satisfies Record<string, ServerKind>;

export type FrontName = keyof typeof frontKinds;

/** Why a test that needs it can't run here, if so. */
export function missing(name: FrontName): string | false {
  const isThere = spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
  return isThere ? false : `needs Debian's package ${frontKinds[name].package}`;
}

/** Starts one in front of an origin, and waits until it listens. */
export function startFront(name: FrontName, ports: ServerPorts): Promise<FrontServer> {
  return startServer(frontKinds[name], ports);
}

/** Starts a server program, and waits until it listens. */
export async function startServer(kind: ServerKind, ports: ServerPorts): Promise<FrontServer> {
  const directory = mkdtempSync(join(tmpdir(), `openshell-${kind.package}-`));
  const file = join(directory, "configuration");
  writeFileSync(file, kind.configuration({ ...ports, directory }));
  const [program, ...args] = kind.command(file);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await listening(ports.own, child);
  } catch (error) {
    await stop();
    throw new Error(`${program} does not start (Debian's package ${kind.package})`, { cause: error });
  }
  return { port: ports.own, [Symbol.asyncDispose]: stop };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  for (let attempt = 0; attempt < 200 && failure === undefined && child.exitCode === null; attempt++) {
    if (await accepts(port)) return;
    await sleep(50);
  }
  throw failure ?? new Error(`nobody listens on ${port}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  // Not SIGKILL: squid has segments of shared memory to remove.
  child.kill("SIGTERM");
  await exit;
}
