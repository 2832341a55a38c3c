/** What all proxies stand in front of: nginx with a small file and a big one, by TLS, and by plain HTTP for a start. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { issueLeaf } from "../../e2e/support/certificates.ts";
import type { Authority } from "../support/authority.ts";
import type { Command } from "../support/command.ts";

export const smallPath = "/small";
export const bigPath = "/big";
export const smallBytes = 1024;
export const bigBytes = 1024 * 1024 * 1024;

/** Writes nginx's files below `directory`; gives the command that serves them. */
export function origin(
  directory: string,
  listen: { host: string; address: string; port: number },
  authority: Authority,
): Command {
  const files = join(directory, "files");
  mkdirSync(files, { recursive: true });
  const leaf = issueLeaf(authority, { names: [`DNS:${listen.host}`] });
  writeFileSync(join(directory, "leaf.crt"), leaf.certificate);
  writeFileSync(join(directory, "leaf.key"), leaf.key, { mode: 0o600 });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    join(directory, "nginx.conf"),
    `
daemon off;
master_process off;
pid ${directory}/pid;
error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join("\n  ")}
  server {
    listen ${listen.address}:${listen.port} ssl http2;
    ssl_certificate ${directory}/leaf.crt;
    ssl_certificate_key ${directory}/leaf.key;
    location = ${smallPath} { return 200 "${"x".repeat(smallBytes)}"; }
    location = ${bigPath} { root ${files}; }
  }
}
`,
  );
  return { file: "nginx", args: ["-e", "/dev/null", "-c", join(directory, "nginx.conf")] };
}

/** Where the big file has to lie; sparse, so that no disk is measured. */
export const bigFile = (directory: string): string => join(directory, "files", bigPath);
