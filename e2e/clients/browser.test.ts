/** Chromium in a sandbox: it trusts what it is shown, speaks HTTP/2, and shows why a page was refused. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Http2EchoServer, startHttp2Server } from "../support/http2-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  web:
    endpoints:
      - { host: api.example.test, port: 443, protocol: rest, access: read-only }
      - { host: files.example.test, port: 443, protocol: rest, rules: [{ allow: { method: GET, path: /ok } }] }
    binaries: [{ path: "/usr/lib/chromium/*" }]
`;

/** Shows what a request of its own is answered. */
const page = `<!doctype html><p id="said"></p><script>
  const say = (text) => { document.getElementById("said").textContent = text; };
  fetch("/data", { method: "POST" }).then(async (answer) => say(answer.status + " " + (await answer.text())));
</script>`;

const chromium = "/usr/bin/chromium";

describe("a browser in a sandbox", { skip: existsSync(chromium) ? false : `${chromium} is not installed` }, () => {
  let installation: Installation;
  let web: HttpServer;
  let files: Http2EchoServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    web = await startHttpServer({
      host: "api.example.test",
      respond: (_request, response) => response.setHeader("content-type", "text/html").end(page),
    });
    files = await startHttp2Server("files.example.test", { tls: true });
    sandbox = await createSandbox(installation, "browser", policy);
  });
  after(async () => {
    for (const server of [web, files]) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** The page as it is after its scripts have run. */
  const shown = async (url: string) => {
    const flags = "--headless --no-sandbox --disable-gpu --virtual-time-budget=5000 --dump-dom";
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

  it("shows why a page is refused, and why a host is", async () => {
    assert.match(await shown("https://files.example.test/no"), /"reason":"inspect\.no_rule"/);
    assert.match(await shown("http://git.example.test/"), /"reason":"decide\.implicit_deny"/);
  });
});
