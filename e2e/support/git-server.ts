/**
 * A git server over HTTPS with one repository, `/small.git`, served by git's own `git http-backend` as a CGI program
 * (git-http-backend(1)).
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import type { HostName } from "./names.ts";

/** The file in the repository, and what stands in it. */
export const smallRepository = { path: "/small.git", file: "README", content: "a small repository\n" } as const;

export async function startGitServer(host: HostName): Promise<HttpServer> {
  const root = mkdtempSync(join(tmpdir(), "openshell-e2e-git-"));
  createRepository(root);
  const server = await startHttpServer({ host, respond: (request, response) => serve(root, request, response) });
  return {
    requests: server.requests,
    connections: server.connections,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(root, { recursive: true });
    },
  };
}

function createRepository(root: string): void {
  const work = join(root, "work");
  const git = (...args: readonly string[]) =>
    void execFileSync("git", ["-c", "user.name=e2e", "-c", "user.email=e2e@example.test", ...args], { stdio: "pipe" });
  git("init", "--quiet", "--initial-branch=main", work);
  writeFileSync(join(work, smallRepository.file), smallRepository.content);
  git("-C", work, "add", smallRepository.file);
  git("-C", work, "commit", "--quiet", "--message=first");
  git("clone", "--quiet", "--bare", work, join(root, smallRepository.path));
}

/** One request as RFC 3875 has it: the request in variables and standard input, the response on standard output. */
function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "https://git.invalid");
  const backend = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      PATH: process.env["PATH"] ?? "",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      // The repository belongs to whoever runs the tests, and git asks who that is.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      HTTP_GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
  });
  request.pipe(backend.stdin);
  let head = Buffer.alloc(0);
  backend.stdout.on("data", (piece: Buffer) => {
    if (response.headersSent) return response.write(piece);
    head = Buffer.concat([head, piece]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    writeHead(response, head.toString("latin1", 0, end));
    return response.write(head.subarray(end + 4));
  });
  backend.on("close", () => response.end());
}

/** The CGI's header block; `Status:` is the response's status, 200 where there is none. */
function writeHead(response: ServerResponse, block: string): void {
  const fields = block.split("\r\n").map((line) => line.split(": ") as [string, string]);
  const status = Number.parseInt(fields.find(([name]) => name === "Status")?.[1] ?? "200", 10);
  response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== "Status")));
}
