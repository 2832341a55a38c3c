/** HTTP services of a sandbox at a URL on the user's machine. */
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install, type Running } from "../support/installation.ts";

/** Tells what it was asked, and speaks a protocol of its own to whoever asks for that: it says everything back. */
const server = `
const { createServer } = require("http");
createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  response.setHeader("x-served", "inside");
  response.end([request.method, request.url, request.headers.host, body].join(" "));
})
  .on("upgrade", (request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n");
    socket.pipe(socket);
  })
  .listen(7401, "127.0.0.1", () => console.log("up"));
`;

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Names below `localhost` are this machine's wherever they are looked up; not every resolver knows. */
function ask(url: string, { method = "GET", body = "", headers = {} }: Asked = {}): Promise<Answer> {
  const { host, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: pathname, method, headers: { host, ...headers } });
    asked.once("error", reject);
    asked.once("response", (answer) => {
      text(answer).then((it) => resolve({ status: answer.statusCode, headers: answer.headers, body: it }), reject);
    });
    asked.end(body);
  });
}

for (const [who, options] of eachUser) {
  describe(`a service in a sandbox of ${who}`, () => {
    let installation: Installation;
    let running: Running;
    let url: string;

    before(async () => {
      installation = install(options);
      await installation.run(["sandbox", "create", "--name", "web"]);
      running = installation.start(["sandbox", "exec", "-n", "web", "--", "/run/openshell/node", "-e", server]);
      await new Promise<void>((resolve) => running.stdout.once("data", () => resolve()));
      const exposed = await installation.run(["service", "expose", "web", "7401", "app"]);
      assert.equal(exposed.code, 0, exposed.stderr);
      url = exposed.stdout.trim();
    });
    after(async () => {
      running.kill("SIGTERM");
      await running.finished;
      await installation[Symbol.asyncDispose]();
    });

    it("answers under its own name, also what is long and what has no length", async () => {
      assert.match(url, /^http:\/\/web--app\.openshell\.localhost:\d+\/$/);
      const { host } = new URL(url);
      const { body, headers } = await ask(`${url}path`);
      assert.deepEqual([body, headers["x-served"]], [`GET /path ${host} `, "inside"]);
      const long = "x".repeat(3_000_000);
      assert.equal((await ask(url, { method: "POST", body: long })).body, `POST / ${host} ${long}`);
      const chunked = { method: "PUT", body: "in pieces", headers: { "transfer-encoding": "chunked" } };
      assert.equal((await ask(url, chunked)).body, `PUT / ${host} in pieces`);
    });

    it("may go over to another protocol, such as WebSocket", async () => {
      const { host, port } = new URL(url);
      const socket = connect(Number(port), "127.0.0.1");
      socket.write(
        `GET / HTTP/1.1\r\nhost: ${host}\r\norigin: http://${host}\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`,
      );
      let said = "";
      for await (const chunk of socket) {
        said += String(chunk);
        if (said.endsWith("hello")) break;
        if (said.endsWith("\r\n\r\n")) socket.write("hello");
      }
      assert.match(said, /^HTTP\/1\.1 101 [\s\S]*hello$/);
    });

    it("is not for the pages of other sites, nor under other names", async () => {
      const fromElsewhere = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
      assert.equal((await ask(url, { headers: fromElsewhere })).status, 403);
      const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
      assert.equal((await ask(url, { headers: link })).status, 200);
      const { port } = new URL(url);
      for (const host of [`127.0.0.1:${port}`, "web--app.example.test", "other.openshell.localhost"]) {
        assert.equal((await ask(url, { headers: { host } })).status, 404, host);
      }
      const socket = connect(Number(port), "127.0.0.1");
      const { host } = new URL(url);
      socket.write(
        `GET / HTTP/1.1\r\nhost: ${host}\r\norigin: https://evil.test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`,
      );
      assert.match(await text(socket), /^HTTP\/1\.1 403 /);
    });

    it("says that nobody serves, or that the sandbox is stopped", async () => {
      const nobody = (await installation.run(["service", "expose", "web", "7999"])).stdout.trim();
      assert.match(nobody, /^http:\/\/web\.openshell/);
      assert.equal((await ask(nobody)).status, 502);
    });

    it("has the same URL when the gateway has restarted, until it is deleted", async () => {
      assert.equal((await installation.run(["gateway", "restart"])).code, 0);
      assert.equal((await installation.run(["service", "get", "web", "app"])).stdout.trim(), url);
      assert.equal((await ask(url)).status, 200);
      const list = async () => JSON.parse((await installation.run(["service", "list", "web", "-o", "json"])).stdout);
      const services = (await list()).map(({ service, port }: { service: string; port: number }) => [service, port]);
      assert.deepEqual(services, [
        ["", 7999],
        ["app", 7401],
      ]);
      assert.equal((await installation.run(["service", "delete", "web", "app"])).code, 0);
      assert.equal((await ask(url)).status, 404);
      assert.match((await installation.run(["service", "get", "web", "app"])).stderr, /not found/);
    });

    it("goes with its sandbox", async () => {
      await installation.run(["sandbox", "stop", "web"]);
      const stopped = await ask(url.replace("--app", ""));
      assert.equal(stopped.status, 503);
      assert.match(stopped.body, /is stopped/);
      await installation.run(["sandbox", "delete", "web"]);
      for (const deadline = Date.now() + 5_000; Date.now() < deadline; await sleep(20)) {
        if ((await ask(url.replace("--app", ""))).status === 404) return;
      }
      assert.fail("it is still there");
    });
  });
}
