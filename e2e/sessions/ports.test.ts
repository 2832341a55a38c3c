/** Ports of a sandbox on the user's machine. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install, type Running } from "../support/installation.ts";

/** 7201 answers once it has heard everything; 7202 says its last word first, and then listens on. */
const servers = `
const { createServer } = require("net");
const half = { allowHalfOpen: true };
createServer(half, (socket) => {
  const heard = [];
  socket.on("data", (bytes) => heard.push(bytes)).on("end", () => socket.end("heard " + Buffer.concat(heard)));
}).listen(7201, "127.0.0.1");
createServer(half, (socket) => {
  socket.end("that is all");
  socket.on("data", (bytes) => process.stdout.write(bytes));
}).listen(7202, "127.0.0.1", () => console.log("up"));
`;

for (const [who, options] of eachUser) {
  describe(`a forwarded port of ${who}`, () => {
    let installation: Installation;
    let running: Running;
    let said = "";

    before(async () => {
      installation = install(options);
      const created = await installation.run(["sandbox", "create", "--name", "ports", "--forward", "7301:7201"]);
      assert.equal(created.code, 0, created.stderr);
      const node = ["sandbox", "exec", "-n", "ports", "--", "/run/openshell/node", "-e", servers];
      running = installation.start(node);
      running.stdout.on("data", (bytes: Buffer) => {
        said += bytes.toString();
      });
      while (!said.includes("up\n")) await sleep(10);
    });
    after(async () => {
      // A command that waits for its gateway to come back would wait on when both it and the sandbox have gone.
      running.kill("SIGTERM");
      await running.finished;
      await installation[Symbol.asyncDispose]();
    });

    it("carries each direction to its own end", async () => {
      const started = await installation.run(["forward", "start", "7302:7202", "ports", "-d"]);
      assert.match(started.stdout, /^127\.0\.0\.1:7302 -> ports:7202 \(process \d+\)\n$/, started.stderr);
      const client = connect({ port: 7301, host: "127.0.0.1", allowHalfOpen: true });
      client.end("all of it");
      assert.equal(await text(client), "heard all of it");
      const listener = connect({ port: 7302, host: "127.0.0.1", allowHalfOpen: true });
      // Reading it to its end as an iterator would close the other direction as well.
      const [word] = await once(listener, "data");
      await once(listener, "end");
      assert.equal(String(word), "that is all");
      listener.end("and that from us");
      while (!said.includes("and that from us")) await sleep(10);
    });

    it("has many connections at once", async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, at) => {
          const client = connect({ port: 7301, host: "127.0.0.1", allowHalfOpen: true });
          client.end(`${at}`);
          return text(client);
        }),
      );
      assert.deepEqual(
        answers,
        Array.from({ length: 100 }, (_, at) => `heard ${at}`),
      );
    });

    it("resets a connection to a port on which nobody listens, and says why", async () => {
      const foreground = installation.start(["forward", "start", "ports", "0:7999"]);
      const line = await new Promise<string>((resolve) => foreground.stdout.once("data", (it) => resolve(String(it))));
      const port = Number(/:(\d+) ->/.exec(line)?.[1]);
      const client = connect(port, "127.0.0.1");
      await assert.rejects(text(client), { code: "ECONNRESET" });
      foreground.kill("SIGINT");
      const { code, stderr } = await foreground.finished;
      assert.equal(code, 130);
      assert.match(stderr, /port 7999 of the sandbox: .*ECONNREFUSED/);
    });

    it("is listed, is had by one only, and ends when it is told to", async () => {
      const list = async () => JSON.parse((await installation.run(["forward", "list", "-o", "json"])).stdout);
      const ports = (await list()).map(({ local, port }: { local: string; port: number }) => `${local} ${port}`);
      assert.deepEqual(ports, ["127.0.0.1:7301 7201", "127.0.0.1:7302 7202"]);
      const second = await installation.run(["forward", "start", "ports", "7302:7201", "-d"]);
      assert.match(second.stderr, /127\.0\.0\.1:7302 can't be forwarded: something listens there already/);
      assert.equal((await installation.run(["forward", "stop", "7302"])).code, 0);
      await assert.rejects(text(connect(7302, "127.0.0.1")), { code: "ECONNREFUSED" });
      assert.equal((await list()).length, 1);
    });

    it("is gone when its sandbox is", async () => {
      assert.equal((await installation.run(["sandbox", "delete", "ports"])).code, 0);
      const isOpen = () =>
        text(connect(7301, "127.0.0.1")).then(
          () => true,
          (error: NodeJS.ErrnoException) => error.code !== "ECONNREFUSED",
        );
      while (await isOpen()) await sleep(20);
    });
  });
}
