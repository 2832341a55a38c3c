/** Package managers with the mirrors that their own configuration names: the presets find them, and open nothing else. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { indexedPackage, startPackageIndex } from "../support/package-index.ts";
import { type Registry, startRegistry } from "../support/registry.ts";

const mirror = "https://files.example.test/simple/";

describe("pip with a preset", () => {
  let installation: Installation;
  let index: HttpServer;
  let other: HttpServer;

  before(async () => {
    installation = install();
    [index, other] = await Promise.all([
      startPackageIndex("files.example.test"),
      startHttpServer({ host: "other.example.test" }),
    ]);
    const settings = join(installation.home, ".config", "pip");
    mkdirSync(settings, { recursive: true });
    writeFileSync(join(settings, "pip.conf"), `[global]\nindex-url = ${mirror}\n`);
    const created = await installation.run(["sandbox", "create", "--name", "wheels", "--preset", "pip"]);
    assert.equal(created.code, 0, created.stderr);
  });
  after(async () => {
    await index[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const run = (script: string) =>
    installation.run(["sandbox", "exec", "--name", "wheels", "--", "sh", "-c", script], { timeout: 60_000 });
  const pip = (url: string) =>
    run(`python3 -m pip install --no-cache-dir --retries 0 --target lib --index-url ${url} ${indexedPackage.name}`);

  it("installs from the mirror that pip is set up for", async () => {
    const { code, stderr } = await pip(mirror);
    assert.equal(code, 0, stderr);
    const imported = await run(`PYTHONPATH=lib python3 -c 'import mirrored; print(mirrored.greeting)'`);
    assert.equal(imported.stdout, `${indexedPackage.greeting}\n`, imported.stderr);
    assert.ok(index.requests.some(({ target }) => target.endsWith(".whl")));
  });

  it("reaches no other index, and can't publish on this one", async () => {
    assert.notEqual((await pip("https://other.example.test/simple/")).code, 0);
    assert.equal(other.connections(), 0);
    const asked = index.requests.length;
    const publish = `import urllib.request; urllib.request.urlopen("${mirror}", data=b"x")`;
    assert.match((await run(`python3 -c '${publish}'`)).stderr, /HTTP Error 403/);
    assert.equal(index.requests.length, asked);
  });
});

describe("npm with a preset", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;

  before(async () => {
    installation = install();
    registry = await startRegistry();
    writeFileSync(join(installation.home, ".npmrc"), `registry=${registry.url}\n`);
    const created = await installation.run(["sandbox", "create", "--name", "modules", "--preset", "npm"]);
    assert.equal(created.code, 0, created.stderr);
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const run = (script: string) => installation.run(["sandbox", "exec", "--name", "modules", "--", "sh", "-c", script]);

  it("installs from the registry that npm is set up for, by npm's program and no other", async () => {
    // A machine's npmrc may name a `cafile`, which npm then takes instead of everything else it was told to trust.
    const npm = `npm_config_cafile="$SSL_CERT_FILE" npm_config_registry=${registry.url} npm --no-update-notifier`;
    const { code, stderr } = await run(`${npm} install --silent left-pad@1.3.0 && test -d node_modules/left-pad`);
    assert.equal(code, 0, stderr);
    const { stdout } = await run(`curl -sS --max-time 10 -o /dev/null -w '%{http_connect}' ${registry.url}left-pad`);
    assert.equal(stdout, "403");
  });
});
