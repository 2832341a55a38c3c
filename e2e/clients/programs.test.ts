/** Programs that people use work unchanged where a rule allows them to, each in its own way of trusting and connecting. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { smallRepository, startGitServer } from "../support/git-server.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = (registry: Registry) => `
network_policies:
  open:
    endpoints:
      - { host: api.example.test, port: 443, protocol: rest, access: read-only }
      - { host: git.example.test, port: 443, protocol: rest, access: read-write }
      - { host: ${registry.host}, port: ${registry.port}, protocol: rest, access: read-only, allow_encoded_slash: true }
    binaries: [{ path: any }]
`;

describe("programs in a sandbox", () => {
  let installation: Installation;
  let servers: HttpServer[];
  let registry: Registry & AsyncDisposable;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    registry = await startRegistry();
    servers = [await startHttpServer({ host: "api.example.test" }), await startGitServer("git.example.test")];
    sandbox = await createSandbox(installation, "programs", policy(registry));
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const succeeds = async (script: string) => {
    const { code, stdout, stderr } = await sandbox.run(script);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it("git clones over HTTPS", async () => {
    const readme = await succeeds(
      `git clone --quiet https://git.example.test${smallRepository.path} && cat small/README`,
    );
    assert.equal(readme, smallRepository.content);
  });

  it("python's urllib fetches, with the proxy variables and without", async () => {
    const fetch = `import urllib.request; print(urllib.request.urlopen("https://api.example.test/py").read().decode())`;
    assert.equal(JSON.parse(await succeeds(`python3 -c '${fetch}'`)).target, "/py");
    const bare = "env -u HTTPS_PROXY -u https_proxy -u ALL_PROXY -u all_proxy";
    assert.equal(JSON.parse(await succeeds(`${bare} python3 -c '${fetch}'`)).target, "/py");
  });

  it("node's fetch fetches", async () => {
    const fetched = await succeeds(
      `node -e 'fetch("https://api.example.test/node").then((r) => r.text()).then(console.log)'`,
    );
    assert.equal(JSON.parse(fetched).target, "/node");
  });

  it("npm looks at a package and installs it", async () => {
    // A machine's npmrc may name a `cafile`, which npm then takes instead of everything else it was told to trust.
    const npm = `npm_config_cafile="$SSL_CERT_FILE" npm_config_registry=${registry.url} npm --no-update-notifier`;
    assert.equal((await succeeds(`${npm} view left-pad@1.3.0 version`)).trim(), "1.3.0");
    await succeeds(
      `mkdir -p try && cd try && ${npm} install --silent left-pad@1.3.0 && test -f node_modules/left-pad/package.json`,
    );
  });

  it("dig gets an address that means something inside only", async () => {
    assert.match(await succeeds("dig +short anything.example.test A"), /^198\.1[89]\.\d+\.\d+\n$/);
  });

  it("ssh to a host that no rule names is cut off", async () => {
    const { code } = await sandbox.run("ssh -o BatchMode=yes -o StrictHostKeyChecking=no ssh.example.test true");
    assert.equal(code, 255);
    const refused = installation.events().filter((event) => event.class_uid === 4001 && event.dst_endpoint.port === 22);
    assert.deepEqual(
      refused.map((event) => "status_code" in event && event.status_code),
      ["decide.implicit_deny"],
    );
  });
});
