/** A gateway behind reverse proxies that speak HTTP/1.1 alone: the command line notices, and nothing is different. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { browser } from "../support/browser.ts";
import { createAuthority, issueLeaf } from "../support/certificates.ts";
import { type FrontServer, missing, nginx, type ServerKind, startServer } from "../support/front-servers.ts";
import { audience, type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { type Installation, install } from "../support/installation.ts";

/** Of their TLS certificate and the gateway's authority, by the names of files in one directory. */
const kinds = {
  nginx: (files: string): ServerKind =>
    nginx(
      ({ own, origin }) => `
  map $http_upgrade $connection_upgrade { default upgrade; "" close; }
  server {
    listen 127.0.0.1:${own} ssl;
    ssl_certificate ${files}/proxy.pem;
    ssl_certificate_key ${files}/proxy.pem;
    location / {
      proxy_pass https://127.0.0.1:${origin};
      proxy_ssl_trusted_certificate ${files}/gateway.pem;
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
      proxy_http_version 1.1;
      proxy_read_timeout 17s;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }`,
    ),
  haproxy: (files: string): ServerKind => ({
    package: "haproxy",
    configuration: ({ own, origin }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 17s
  timeout server 17s
  timeout tunnel 17s
frontend in
  bind 127.0.0.1:${own} ssl crt ${files}/proxy.pem alpn http/1.1
  default_backend out
backend out
  server origin 127.0.0.1:${origin} ssl verify required ca-file ${files}/gateway.pem verifyhost localhost
`,
    command: (file) => ["haproxy", "-db", "-q", "-f", file],
  }),
} as const;

const firstPort = 18_610;

for (const [at, name] of (["nginx", "haproxy"] as const).entries()) {
  describe(`a gateway behind ${name}`, { skip: missing(name) }, () => {
    let installation: Installation;
    let provider: IdentityProvider;
    let front: FrontServer | undefined;

    before(async () => {
      installation = install();
      provider = await startIdentityProvider(3600);
      provider.groups.set("ops", ["operators"]);
      const configuration = join(installation.home, ".config", "openshell");
      mkdirSync(configuration, { recursive: true });
      const yaml = `issuer: ${provider.issuer}\naudience: ${audience}\nroles: { operators: admin }\n`;
      writeFileSync(join(configuration, "oidc.yaml"), yaml);
      await run("gateway", "start");
      const { endpoint = "" } = readRunningGateway(installation.stateDirectory) ?? {};
      const authority = createAuthority("the company");
      const leaf = issueLeaf(authority, { names: ["DNS:localhost"] });
      writeFileSync(join(installation.home, "proxy.pem"), leaf.certificate + leaf.key);
      const own = readFileSync(join(configuration, "gateways", "openshell", "mtls", "ca.crt"));
      writeFileSync(join(installation.home, "gateway.pem"), own);
      const ports = { own: firstPort + at, origin: Number(new URL(endpoint).port) };
      front = await startServer(kinds[name](installation.home), ports);
      const login = ["--oidc-issuer", provider.issuer, "--oidc-audience", audience];
      await run("gateway", "add", `https://localhost:${ports.own}`, "--name", "far", ...login);
      mkdirSync(join(configuration, "gateways", "far", "mtls"));
      writeFileSync(join(configuration, "gateways", "far", "mtls", "ca.crt"), authority.certificate);
      const done = await installation.run(["gateway", "login", "far"], { env: { BROWSER: browser, LOGIN_AS: "ops" } });
      assert.equal(done.code, 0, done.stderr);
      // From here on `far` is the active gateway: every command takes the way through the proxy.
      await run("sandbox", "create", "--name", "box", "--", "true");
    });
    after(async () => {
      // Whatever went wrong before: what was started here ends, and the last one says what is left.
      await front?.[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
      await installation.run(["gateway", "select", "openshell"]);
      await installation[Symbol.asyncDispose]();
    });

    async function run(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await installation.run(args);
      assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      return stdout;
    }

    it("knows who calls, and says what it has", async () => {
      assert.equal(JSON.parse(await run("whoami", "-o", "json")).subject, "ops");
      assert.equal(await run("sandbox", "list", "--names"), "box\n");
      const unknown = await installation.run(["sandbox", "get", "nobody"]);
      assert.match(unknown.stderr, /sandbox "nobody" not found/);
    });

    it("runs commands with input, output and exit code", async () => {
      const input = "0123456789abcdef".repeat(20_000);
      const ran = await installation.run(["sandbox", "exec", "box", "--", "sh", "-c", "sha256sum; exit 7"], { input });
      assert.equal(ran.code, 7, ran.stderr);
      assert.match(ran.stdout, new RegExp(createHash("sha256").update(input).digest("hex")));
    });

    it("takes files and SSH", async () => {
      const file = join(installation.home, "random");
      writeFileSync(file, randomBytes(3_000_000));
      await run("sandbox", "upload", "box", file, "/sandbox/random");
      const settings = join(installation.home, "ssh-config");
      writeFileSync(settings, await run("sandbox", "ssh-config", "box"));
      const ssh = await installation.runProgram([
        "ssh",
        "-F",
        settings,
        "-o",
        "BatchMode=yes",
        "openshell-box",
        "sha256sum random",
      ]);
      assert.match(ssh.stdout, new RegExp(createHash("sha256").update(readFileSync(file)).digest("hex")), ssh.stderr);
    });

    it("outlives what the proxy would take for silence", async () => {
      const quiet = await installation.run(["sandbox", "exec", "box", "--", "sh", "-c", "sleep 20; echo still there"], {
        timeout: 60_000,
      });
      assert.equal(quiet.stdout, "still there\n", quiet.stderr);
    });

    it("may be killed and started again under a running command", async () => {
      const counting = installation.start([
        "sandbox",
        "exec",
        "box",
        "--",
        "sh",
        "-c",
        "for i in $(seq 60); do echo $i; sleep 0.05; done",
      ]);
      await new Promise((resolve) => counting.stdout.once("data", resolve));
      const { pid = 0, endpoint = "" } = readRunningGateway(installation.stateDirectory) ?? {};
      process.kill(pid, "SIGKILL");
      await sleep(200);
      await run("gateway", "start", "--port", new URL(endpoint).port);
      const { code, stdout, stderr } = await counting.finished;
      assert.equal(stdout, Array.from({ length: 60 }, (_, at) => `${at + 1}\n`).join(""), stderr);
      assert.equal(code, 0);
    });

    it("has no ear for a browser's page, nor for who shows no token", async () => {
      const ask = (...headers: string[]) =>
        installation.runProgram([
          ...["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5", "--http1.1"],
          ...[
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
            "Sec-WebSocket-Protocol: openshell-call.v1",
            ...headers,
          ].flatMap((header) => ["-H", header]),
          `https://localhost:${front?.port}/openshell/call`,
        ]);
      assert.equal((await ask("Origin: https://evil.example")).stdout, "403");
      const token = join(installation.home, ".config", "openshell", "gateways", "far", "oidc_token.json");
      const kept = readFileSync(token, "utf8");
      writeFileSync(token, JSON.stringify({ access_token: "a.b.c" }));
      const refused = await installation.run(["sandbox", "list"]);
      writeFileSync(token, kept);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /the token can't be read/);
    });
  });
}
