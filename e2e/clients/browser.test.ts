/** Chromium in a sandbox: it trusts what it is shown, speaks HTTP/2 and WebSocket, and shows why a page was refused. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Http2EchoServer, startHttp2Server } from "../support/http2-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { type EchoServer, startWebsocketServer } from "../support/websocket-server.ts";
import { skipInContainers } from "../support/world.ts";

const policy = `
network_policies:
  web:
    endpoints:
      - { host: api.example.test, port: 443, protocol: rest, access: read-only }
      - { host: files.example.test, port: 443, protocol: rest, rules: [{ allow: { method: GET, path: /ok } }] }
      - host: other.example.test
        port: 443
        protocol: websocket
        rules: [{ allow: { method: GET, path: "**" } }, { allow: { method: WEBSOCKET_TEXT, path: /chat } }]
    binaries: [{ path: "/usr/lib/chromium/*" }]
`;

/** Shows what a request of its own is answered. */
const page = `<!doctype html><p id="said"></p><script>
  const say = (text) => { document.getElementById("said").textContent = text; };
  fetch("/data", { method: "POST" }).then(async (answer) => say(answer.status + " " + (await answer.text())));
</script>`;

/** Says something over a WebSocket, and shows what it hears, or how it ends: before that the page is not loaded. */
const talk = (path: string, said: string) => `<!doctype html><p id="said"></p><img src="/until-said?${path}"><script>
  const say = (text) => { document.getElementById("said").textContent ||= text; fetch("/said?${path}"); };
  const socket = new WebSocket("wss://other.example.test${path}");
  socket.onopen = () => socket.send("${said}");
  socket.onmessage = ({ data }) => say("heard " + data);
  socket.onclose = ({ code, reason }) => say("closed " + code + " " + reason);
</script>`;

const pages: Readonly<Record<string, string>> = {
  "/chat": talk("/chat", "hello"),
  "/admin": talk("/admin", "secret"),
};

const chromium = "/usr/bin/chromium";

const missing = existsSync(chromium)
  ? skipInContainers("a browser would make the image three times as large")
  : { skip: `${chromium} is not installed` };

describe("a browser in a sandbox", missing, () => {
  let installation: Installation;
  let web: HttpServer;
  let files: Http2EchoServer;
  let sockets: EchoServer;
  const said = new Map(Object.keys(pages).map((path) => [path, Promise.withResolvers<void>()]));
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    web = await startHttpServer({
      host: "api.example.test",
      respond: async ({ url = "" }, response) => {
        const [path = "", talked = ""] = url.split("?");
        if (path === "/said") said.get(talked)?.resolve();
        if (path === "/until-said") await said.get(talked)?.promise;
        response.setHeader("content-type", "text/html").end(pages[path] ?? page);
      },
    });
    files = await startHttp2Server("files.example.test", { tls: true });
    sockets = await startWebsocketServer("other.example.test", { tls: true });
    sandbox = await createSandbox(installation, "browser", policy);
  });
  after(async () => {
    for (const server of [web, files, sockets]) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** The page as it is when it has been loaded, or a while later by its own clock, which waits for requests alone. */
  const shown = async (url: string, later = "--virtual-time-budget=5000") => {
    const flags = `--headless --no-sandbox --disable-gpu ${later} --dump-dom`;
    const { stdout } = await sandbox.run(`timeout 25 chromium ${flags} '${url}' 2>/dev/null`);
    return stdout;
  };

  it("loads a page over HTTPS, with no flag and no file that makes it trust it", async () => {
    assert.match(await shown("https://api.example.test/"), /<p id="said">/);
  });

  it("speaks HTTP/2", async () => {
    assert.match(await shown("https://files.example.test/ok"), /GET 2\.0 \/ok/);
  });

  it("tells a page's script why its request is refused", async () => {
    assert.match(await shown("https://api.example.test/"), /<p id="said">403 {"error":.*"inspect\.no_rule"/);
    assert.ok(web.requests.every(({ method }) => method === "GET"));
  });

  it("says over a WebSocket what it may say", async () => {
    assert.match(await shown("https://api.example.test/chat", ""), /<p id="said">heard hello</);
    assert.ok(sockets.heard.includes("text hello"));
  });

  it("is closed for what it may not say, and its page told why", async () => {
    const dom = await shown("https://api.example.test/admin", "");
    assert.match(dom, /<p id="said">closed 1008 inspect\.no_rule: a text message on \/admin not permitted/);
    assert.ok(!sockets.heard.includes("text secret"));
  });

  it("shows why a page is refused, and why a host is", async () => {
    assert.match(await shown("https://files.example.test/no"), /"reason":"inspect\.no_rule"/);
    assert.match(await shown("http://git.example.test/"), /"reason":"decide\.implicit_deny"/);
  });
});
