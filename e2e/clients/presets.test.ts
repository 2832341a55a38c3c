/** Package managers with the mirrors that their own configuration names: the presets find them, and open nothing else. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { indexedPackage, startPackageIndex } from "../support/package-index.ts";
import { crateRegistry, debianRepository, type Files, goProxy, startMirror } from "../support/package-mirrors.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { skipInContainers } from "../support/world.ts";

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

interface Manager {
  readonly preset: string;
  /** Whose absence is said, as some machines that run the tests do without it; apt is on every Debian. */
  readonly program: string;
  readonly files: () => Promise<Files>;
  readonly plain?: boolean;
  /** Sets it up for the mirror in the user's home; gives what the command needs in its environment for that. */
  readonly configure: (home: string) => Readonly<Record<string, string>>;
  /** Run in the sandbox: fetches the package that the mirror has, and prints what is in it. */
  readonly fetch: string;
}

/** Of these only Debian's own is in the image that sandboxes are made from. */
function whyNot(program: string): { readonly skip?: string } {
  if (!existsSync(program)) return { skip: `${program} is not installed` };
  return program === "/usr/bin/apt-get" ? {} : skipInContainers(`${program} is not in the image`);
}

const goPrograms = ["/usr/bin/go", "/usr/local/go/bin/go"];
const cratesUrl = "https://files.example.test/crates/";

const managers: readonly Manager[] = [
  {
    preset: "apt",
    program: "/usr/bin/apt-get",
    files: debianRepository,
    plain: true,
    configure: (home) => {
      writeFileSync(join(home, "sources.list"), "deb [trusted=yes] http://files.example.test/debian /\n");
      const settings = `Dir::Etc::SourceList "${home}/sources.list"; Dir::Etc::SourceParts "/dev/null";\n`;
      writeFileSync(join(home, "apt.conf"), settings);
      return { APT_CONFIG: join(home, "apt.conf") };
    },
    fetch: `cd "$HOME" && mkdir -p apt/lists/partial apt/cache/archives/partial
echo 'deb [trusted=yes] http://files.example.test/debian /' >sources.list
cat >apt.conf <<EOF
Dir::Etc::SourceList "$HOME/sources.list"; Dir::Etc::SourceParts "/dev/null";
Dir::State "$HOME/apt"; Dir::State::status "/dev/null"; Dir::Cache "$HOME/apt/cache"; APT::Sandbox::User "";
EOF
export APT_CONFIG="$HOME/apt.conf"
apt-get -qq update && apt-get -qq download mirrored && dpkg-deb --fsys-tarfile mirrored_1.0_all.deb | tar -xO ./usr/share/mirrored`,
  },
  {
    preset: "go",
    program: goPrograms.find((path) => existsSync(path)) ?? "/usr/bin/go",
    files: goProxy,
    configure: () => ({ GOPROXY: "https://files.example.test/go", GOSUMDB: "off" }),
    fetch: `mkdir -p "$HOME/hello" && cd "$HOME/hello"
export PATH="$PATH:/usr/local/go/bin" GOPROXY=https://files.example.test/go GOSUMDB=off GOTOOLCHAIN=local GOFLAGS=-mod=mod
go mod init hello.test && go mod download mirrored.test/hello@v1.0.0
cat "$(go env GOMODCACHE)/mirrored.test/hello@v1.0.0/hello.go"`,
  },
  {
    preset: "cargo",
    program: "/usr/bin/cargo",
    files: () => crateRegistry(cratesUrl),
    configure: (home) => {
      mkdirSync(join(home, ".cargo"));
      const mirror = `[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "sparse+${cratesUrl}"\n`;
      writeFileSync(join(home, ".cargo", "config.toml"), mirror);
      return {};
    },
    fetch: `mkdir -p "$HOME/.cargo" "$HOME/hello/src" && cd "$HOME/hello"
printf '[source.crates-io]\\nreplace-with = "mirror"\\n[source.mirror]\\nregistry = "sparse+${cratesUrl}"\\n' >"$HOME/.cargo/config.toml"
printf '[package]\\nname = "hello"\\nversion = "0.1.0"\\n[dependencies]\\nmirrored = "1"\\n' >Cargo.toml
touch src/lib.rs && cargo fetch && cat "$HOME"/.cargo/registry/src/*/mirrored-1.0.0/src/lib.rs`,
  },
];

for (const { preset, program, files, plain = false, configure, fetch } of managers) {
  describe(`${preset} with a preset`, whyNot(program), () => {
    it("fetches from the mirror that it is set up for, and no other program reaches that", async () => {
      await using installation = install();
      await using mirror = await startMirror("files.example.test", await files(), { plain });
      const env = { PATH: `${join(program, "..")}:/usr/bin:/bin`, ...configure(installation.home) };
      const create = ["sandbox", "create", "--name", "fetching", "--preset", preset];
      const created = await installation.run(create, { env, timeout: 60_000 });
      assert.equal(created.code, 0, created.stderr);
      const run = (script: string) =>
        installation.run(["sandbox", "exec", "--name", "fetching", "--", "sh", "-c", script], { timeout: 60_000 });

      const { stdout, stderr } = await run(fetch);
      assert.match(stdout, /from the mirror/, stderr);
      const asked = mirror.requests.length;
      assert.ok(asked > 1);
      const other = `curl -sS -o /dev/null -w '%{http_connect}%{http_code}' ${plain ? "http" : "https"}://files.example.test/`;
      assert.match((await run(other)).stdout, /403/);
      assert.equal(mirror.requests.length, asked);
    });
  });
}
