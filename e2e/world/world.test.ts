/** The world in which all other tests run: names lead to servers inside it, and nothing leads out. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { createAuthority, issueLeaf } from "../support/certificates.ts";
import { smallRepository, startGitServer } from "../support/git-server.ts";
import { leafFor, startHttpServer } from "../support/http-server.ts";
import { hosts, unresolvedName } from "../support/names.ts";
import { startRawTcpServer } from "../support/raw-tcp-server.ts";
import { tester, world } from "../support/world.ts";

const run = promisify(execFile);

describe("the world", () => {
  const { authority, directory, packageDirectory, hasUsers } = world();

  it("has no network but loopback, and no way out", async () => {
    assert.deepEqual(Object.keys(networkInterfaces()), ["lo"]);
    const code = await new Promise((resolve) => {
      connect({ host: "192.0.2.1", port: 443 }).on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    assert.equal(code, "ENETUNREACH");
  });

  it("knows its names, and no others", async () => {
    for (const [name, addresses] of Object.entries(hosts)) {
      const found = await lookup(name, { all: true });
      // The resolver sorts them by how near it takes them to be (RFC 6724).
      assert.deepEqual(found.map(({ address }) => address).sort(), [...addresses].sort());
    }
    await assert.rejects(lookup(unresolvedName));
  });

  it("has a web server that ordinary programs trust, and that remembers", async () => {
    await using server = await startHttpServer({ host: "api.example.test" });
    const { stdout } = await run("curl", [
      "--silent",
      "--show-error",
      "--data",
      "hello",
      "https://api.example.test/a?b=c",
    ]);
    assert.deepEqual(JSON.parse(stdout), { method: "POST", target: "/a?b=c", host: "api.example.test" });
    assert.deepEqual(
      server.requests.map(({ method, body }) => [method, body]),
      [["POST", "hello"]],
    );
    assert.equal(server.connections(), 1);
  });

  it("has a web server without TLS, on any of its addresses", async () => {
    for (const host of ["public.example.test", "six.example.test", "metadata.example.test"] as const) {
      await using server = await startHttpServer({ host, tls: false });
      await run("curl", ["--silent", "--fail", `http://${host}/`]);
      assert.equal(server.requests.length, 1);
    }
  });

  it("has servers that nobody should trust", async () => {
    const stranger = createAuthority("Stranger");
    const certificates = {
      "expired.example.test": issueLeaf(authority, { names: ["DNS:expired.example.test"], days: -1 }),
      "wrong-host.example.test": leafFor("other.example.test"),
      "unknown-issuer.example.test": issueLeaf(stranger, { names: ["DNS:unknown-issuer.example.test"] }),
    } as const;
    for (const host of Object.keys(certificates) as (keyof typeof certificates)[]) {
      await using _ = await startHttpServer({ host, tls: certificates[host] });
      // curl exits with 60 when it does not trust the server.
      await assert.rejects(run("curl", ["--silent", `https://${host}/`]), { code: 60 });
    }
  });

  it("has a git server", async () => {
    await using server = await startGitServer("git.example.test");
    const clone = mkdtempSync(join(directory, "clone-"));
    await run("git", ["clone", "--quiet", `https://git.example.test${smallRepository.path}`, clone]);
    assert.equal(readFileSync(join(clone, smallRepository.file), "utf8"), smallRepository.content);
    assert.ok(server.requests.length > 0);
    rmSync(clone, { recursive: true });
  });

  it("has a server that is no web server, and speaks first", async () => {
    await using server = await startRawTcpServer({ host: "ssh.example.test", port: 22, greeting: "SSH-2.0-test\r\n" });
    const said = await new Promise((resolve) => {
      const socket = connect({ host: "ssh.example.test", port: 22 });
      let all = "";
      socket.on("data", (piece) => {
        all += piece;
        if (all === "SSH-2.0-test\r\n") socket.write("hello");
        if (all.endsWith("hello")) socket.end();
      });
      socket.on("close", () => resolve(all));
    });
    assert.equal(said, "SSH-2.0-test\r\nhello");
    assert.equal(server.heard.join(), "hello");
  });

  // A world that an ordinary user makes knows no other user.
  if (hasUsers) {
    it("has the package where an ordinary user can run it", async () => {
      const { uid, gid, name } = tester;
      const { stdout } = await run("id", ["-un"], { uid, gid });
      assert.equal(stdout, `${name}\n`);
      await run("cat", [join(packageDirectory, "package.json")], { uid, gid });
    });
  }
});
