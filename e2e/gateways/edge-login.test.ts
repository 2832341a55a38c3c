/**
 * A gateway behind a proxy that has its users log in, as clouds have it. The proxy offers HTTP/2 to its clients and speaks
 * HTTP/1.1 with the gateway, as nginx does: the command line notices, and what goes both ways at once works.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { issueLeaf } from "../support/certificates.ts";
import { type EdgeLogin, startEdgeLogin } from "../support/edge-login.ts";
import { type FrontServer, missing, nginx, type ServerKind, startServer } from "../support/front-servers.ts";
import { type Installation, install } from "../support/installation.ts";
import { world } from "../support/world.ts";

const browser = fileURLToPath(new URL("../support/edge-browser.mjs", import.meta.url));
const port = 18_640;

const loginProxy = (files: string, login: EdgeLogin): ServerKind =>
  nginx(
    ({ own, origin }) => `
  map $http_upgrade $connection_upgrade { default upgrade; "" close; }
  server {
    listen 127.0.0.1:${own} ssl http2;
    ssl_certificate ${files}/proxy.pem;
    ssl_certificate_key ${files}/proxy.pem;
    location ^~ /cdn-cgi/access/ { proxy_pass http://127.0.0.1:${login.port}; }
    location = /verify { internal; proxy_pass http://127.0.0.1:${login.port}; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
    location @login { return 302 /cdn-cgi/access/login?to=$request_uri; }
    location / {
      auth_request /verify;
      auth_request_set $edge_token $upstream_http_x_edge_token;
      error_page 401 = @login;
      proxy_pass https://127.0.0.1:${origin};
      proxy_ssl_trusted_certificate ${files}/gateway.pem;
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
      proxy_http_version 1.1;
      proxy_set_header Cf-Access-Jwt-Assertion $edge_token;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }`,
  );

describe("a gateway behind a proxy's login", { skip: missing("nginx") }, () => {
  let installation: Installation;
  let login: EdgeLogin;
  let front: FrontServer | undefined;
  let tokenFile: string;
  let origin: number;

  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await installation.run(args, { env: { BROWSER: browser } });
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const fails = async (...args: string[]) => {
    const { code, stderr } = await installation.run(args);
    assert.equal(code, 1, stderr);
    return stderr;
  };

  before(async () => {
    installation = install();
    login = await startEdgeLogin();
    const configuration = join(installation.home, ".config", "openshell");
    tokenFile = join(configuration, "gateways", "far", "edge_token");
    mkdirSync(configuration, { recursive: true });
    const { issuer, keysAddress, audience } = login;
    const yaml = `issuer: ${issuer}\njwks_uri: ${keysAddress}\naudience: ${audience}\nroles: { operators: admin }\n`;
    writeFileSync(join(configuration, "oidc.yaml"), yaml);
    await run("gateway", "start");
    origin = Number(new URL(readRunningGateway(installation.stateDirectory)?.endpoint ?? "").port);
    const leaf = issueLeaf(world().authority, { names: ["DNS:localhost"] });
    writeFileSync(join(installation.home, "proxy.pem"), leaf.certificate + leaf.key);
    const own = readFileSync(join(configuration, "gateways", "openshell", "mtls", "ca.crt"));
    writeFileSync(join(installation.home, "gateway.pem"), own);
    front = await startServer(loginProxy(installation.home, login), { own: port, origin });
    await run("gateway", "add", `https://localhost:${port}`, "--name", "far", "--edge");
    mkdirSync(join(configuration, "gateways", "far", "mtls"));
    writeFileSync(join(configuration, "gateways", "far", "mtls", "ca.crt"), world().authority.certificate);
  });
  after(async () => {
    await front?.[Symbol.asyncDispose]();
    await login[Symbol.asyncDispose]();
    await installation.run(["gateway", "select", "openshell"]);
    await installation[Symbol.asyncDispose]();
  });

  it("asks for the login, and says how", async () => {
    assert.match(await fails("sandbox", "list"), /not logged in to the gateway "far".*openshell gateway login far/s);
  });

  it("is logged in to in a browser, whose token is kept for its owner alone", async () => {
    await run("gateway", "login", "far");
    assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
    const { subject, identity_provider } = JSON.parse(await run("whoami", "-o", "json"));
    assert.deepEqual([subject, identity_provider], ["alice", login.issuer]);
  });

  it("runs commands that talk both ways, although the proxy makes HTTP/1.1 of HTTP/2", async () => {
    await run("sandbox", "create", "--name", "box");
    const running = installation.start([
      "sandbox",
      "exec",
      "box",
      "--",
      "sh",
      "-c",
      "read -r a; echo got $a; read -r b; exit $b",
    ]);
    running.stdin.write("one\n");
    await new Promise((resolve) => running.stdout.once("data", resolve));
    running.stdin.end("7\n");
    const { code, stdout } = await running.finished;
    assert.deepEqual([code, stdout], [7, "got one\n"]);
  });

  it("takes no token that the proxy has not signed, nor one that a page's request brings along", async () => {
    const ask = async (...headers: string[]) => {
      const sent = ["content-type: application/json", ...headers].flatMap((header) => ["-H", header]);
      const url = `https://127.0.0.1:${origin}/openshell.v1.OpenShell/ListSandboxes`;
      return (await installation.runProgram(["curl", "-sk", "-d", "{}", ...sent, url])).stdout;
    };
    const token = readFileSync(tokenFile, "utf8");
    assert.match(await ask(`Cf-Access-Jwt-Assertion: ${token}`), /"box"/);
    assert.match(await ask(`Cf-Access-Jwt-Assertion: ${token.slice(0, -8)}AAAAAAAA`), /unauthenticated/);
    assert.match(await ask(`Cf-Access-Jwt-Assertion: ${token}`, "Origin: https://evil.example"), /unauthenticated/);
    assert.match(await ask(`Cookie: CF_Authorization=${token}`), /unauthenticated/);
  });

  it("says so where the proxy has ended the login", async () => {
    login.endLogins();
    assert.match(await fails("sandbox", "list"), /not logged in to the gateway "far", or no longer/);
    await run("gateway", "login", "far");
    assert.equal(await run("sandbox", "list", "--names"), "box\n");
  });

  it("is forgotten on this machine by a logout", async () => {
    await run("gateway", "logout", "far");
    assert.throws(() => statSync(tokenFile));
    assert.match(await fails("sandbox", "list"), /not logged in/);
  });
});
