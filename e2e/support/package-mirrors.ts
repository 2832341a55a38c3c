/**
 * A company's mirror of Debian packages, Go modules and Rust crates, each with one package, which is made on the spot in the
 * form that `apt-get`, `go` and `cargo` expect.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import type { HostName } from "./names.ts";
import { world } from "./world.ts";

const run = promisify(execFile);

export type Files = Readonly<Record<string, Buffer | string>>;

/** Serves files by their paths, over TLS unless it is plain. */
export function startMirror(host: HostName, files: Files, { plain = false } = {}): Promise<HttpServer> {
  return startHttpServer({
    host,
    ...(plain && { tls: false }),
    respond: (request, response) => {
      const content = files[new URL(request.url ?? "/", "http://mirror.invalid").pathname];
      if (content === undefined) response.writeHead(404).end();
      else response.writeHead(200, { "content-type": "application/octet-stream" }).end(content);
    },
  });
}

/** A flat repository (sources.list(5)) with the package `mirrored`. */
export async function debianRepository(): Promise<Files> {
  const root = folder("deb");
  write(
    root,
    "DEBIAN/control",
    "Package: mirrored\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <n@example.test>\nDescription: made for a test\n",
  );
  write(root, "usr/share/mirrored", "from the mirror\n");
  const archive = `${root}.deb`;
  await run("dpkg-deb", ["--build", "--root-owner-group", root, archive]);
  const content = readFileSync(archive);
  const control = readFileSync(join(root, "DEBIAN/control"), "utf8");
  const index = `${control}Filename: mirrored.deb\nSize: ${content.length}\nSHA256: ${sha256(content)}\n\n`;
  return { "/debian/Packages": index, "/debian/mirrored.deb": content };
}

/** A module proxy (`go help goproxy`) with the module `mirrored.test/hello`. */
export async function goProxy(): Promise<Files> {
  const root = folder("go");
  const inside = "mirrored.test/hello@v1.0.0";
  const module = "module mirrored.test/hello\n\ngo 1.19\n";
  write(root, `${inside}/go.mod`, module);
  write(root, `${inside}/hello.go`, 'package hello\n\nconst Greeting = "from the mirror"\n');
  const program =
    "import os, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], 'w')\n[z.write(os.path.join(d, f)) for d, _, fs in os.walk('mirrored.test') for f in fs]\nz.close()";
  await run("/usr/bin/python3", ["-c", program, `${root}.zip`], { cwd: root });
  const versions = "/go/mirrored.test/hello/@v";
  return {
    [`${versions}/list`]: "v1.0.0\n",
    [`${versions}/v1.0.0.info`]: '{"Version":"v1.0.0","Time":"2026-01-01T00:00:00Z"}',
    [`${versions}/v1.0.0.mod`]: module,
    [`${versions}/v1.0.0.zip`]: readFileSync(`${root}.zip`),
  };
}

/** A sparse registry (The Cargo Book, "Registry Index") at `url` with the crate `mirrored`. */
export async function crateRegistry(url: string): Promise<Files> {
  const root = folder("crate");
  const manifest = '[package]\nname = "mirrored"\nversion = "1.0.0"\nedition = "2018"\n';
  write(root, "mirrored-1.0.0/Cargo.toml", manifest);
  write(root, "mirrored-1.0.0/src/lib.rs", 'pub const GREETING: &str = "from the mirror";\n');
  await run("tar", ["-czf", `${root}.crate`, "-C", root, "mirrored-1.0.0"]);
  const content = readFileSync(`${root}.crate`);
  const entry = { name: "mirrored", vers: "1.0.0", deps: [], cksum: sha256(content), features: {}, yanked: false };
  return {
    "/crates/config.json": JSON.stringify({ dl: `${url}dl` }),
    "/crates/mi/rr/mirrored": `${JSON.stringify(entry)}\n`,
    "/crates/dl/mirrored/1.0.0/download": content,
  };
}

function folder(name: string): string {
  const path = join(world().directory, `mirrored-${name}`);
  mkdirSync(path, { recursive: true });
  return path;
}

function write(root: string, path: string, content: string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
