/** A gateway whose machine reaches the network as companies let it: by a proxy, under own authorities, and known by name. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { createAuthority, issueLeaf } from "../support/certificates.ts";
import { type CorporateProxy, startCorporateProxy } from "../support/corporate-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { missing } from "../support/front-servers.ts";
import { type HttpServer, leafFor, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { hosts } from "../support/names.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  inspected:
    endpoints:
      - { host: api.example.test, ports: [80, 443], protocol: rest, access: full }
      - { host: other.example.test, port: 443, protocol: rest, access: full }
    binaries: [{ path: any }]
  opaque:
    endpoints: [{ host: files.example.test, port: 443 }]
    binaries: [{ path: any }]
`;

interface Place extends AsyncDisposable {
  readonly installation: Installation;
  readonly sandbox: Sandbox;
}

/** A sandbox of a gateway with this upstream.yaml, and files beside it. */
async function inPlace(yaml: string, files: Readonly<Record<string, string>> = {}): Promise<Place> {
  const installation = install();
  configure(installation, { ...files, "upstream.yaml": yaml });
  const sandbox = await createSandbox(installation, "corporate", policy);
  return { installation, sandbox, [Symbol.asyncDispose]: () => installation[Symbol.asyncDispose]() };
}

function configure(installation: Installation, files: Readonly<Record<string, string>>): void {
  const directory = join(installation.home, ".config", "openshell");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

const fetched = async ({ sandbox }: Pick<Place, "sandbox">, url: string) =>
  (await sandbox.run(`curl -sS --max-time 10 ${url}`)).stdout;

describe("a gateway behind a proxy", { skip: missing("squid") }, () => {
  let proxy: CorporateProxy;
  let servers: HttpServer[];
  before(async () => {
    proxy = await startCorporateProxy(3199);
    servers = [
      await startHttpServer({ host: "api.example.test" }),
      await startHttpServer({ host: "api.example.test", tls: false }),
      await startHttpServer({ host: "files.example.test" }),
      await startHttpServer({ host: "other.example.test" }),
    ];
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });

  /** What it was asked since it had been asked so often. It writes a tunnel down when that has ended. */
  const isAsked = (before: number, asked: readonly string[]) =>
    eventually(() => assert.deepEqual(proxy.tunnels().slice(before).sort(), asked));

  const written = (password: string, rest = "") => `proxy: "http://me:${password}@${proxy.address}"\n${rest}`;

  it("takes it for what is inspected, what is not, and plain HTTP: to the checked address, and to nothing exempt", async () => {
    await using place = await inPlace(written("s%40cret", "no_proxy: [other.example.test]"));
    const before = proxy.tunnels().length;
    assert.equal(JSON.parse(await fetched(place, "https://api.example.test/a")).target, "/a");
    assert.equal(JSON.parse(await fetched(place, "http://api.example.test/b")).target, "/b");
    assert.equal(JSON.parse(await fetched(place, "https://files.example.test/c")).target, "/c");
    assert.equal(JSON.parse(await fetched(place, "https://other.example.test/d")).target, "/d");
    await isAsked(before, ["CONNECT 10.77.0.1:443", "CONNECT 10.77.0.1:80", "CONNECT 10.77.0.3:443"]);
    const [connected] = place.installation.events().filter((event) => event.class_uid === 4001);
    assert.equal(connected?.unmapped?.["upstream_proxy"], proxy.address);
  });

  it("takes it from the environment of whoever starts the gateway", async () => {
    await using installation = install();
    const env = { HTTPS_PROXY: `http://me:s%40cret@${proxy.address}`, NO_PROXY: "other.example.test" };
    assert.equal((await installation.run(["gateway", "start"], { env })).code, 0);
    const place = { installation, sandbox: await createSandbox(installation, "corporate", policy) };
    const before = proxy.tunnels().length;
    assert.equal(JSON.parse(await fetched(place, "https://api.example.test/a")).target, "/a");
    assert.equal(JSON.parse(await fetched(place, "https://other.example.test/b")).target, "/b");
    await isAsked(before, ["CONNECT 10.77.0.1:443"]);
    assert.doesNotMatch((await place.sandbox.run("env")).stdout, /cret/);
  });

  it("lets it look names up where the file says so", async () => {
    await using place = await inPlace(written("s%40cret", "resolve: proxy"));
    const before = proxy.tunnels().length;
    assert.equal(JSON.parse(await fetched(place, "https://api.example.test/a")).target, "/a");
    await isAsked(before, ["CONNECT api.example.test:443"]);
  });

  it("says that the proxy wants other credentials", async () => {
    await using place = await inPlace(written("wrong"));
    const answer = JSON.parse(await fetched(place, "https://api.example.test/"));
    assert.equal(answer.reason, "forward.unreachable");
    assert.match(answer.detail, /the proxy 127\.0\.0\.1:3199, which wants other credentials \(407\)/);
    assert.doesNotMatch(JSON.stringify(place.installation.events()), /wrong/);
  });
});

describe("a gateway with authorities of its own", () => {
  it("trusts them, and so do programs in its sandboxes", async () => {
    const corporate = createAuthority("Corporate");
    const leafOf = (host: string) => issueLeaf(corporate, { names: [`DNS:${host}`] });
    await using _api = await startHttpServer({ host: "api.example.test", tls: leafOf("api.example.test") });
    await using _files = await startHttpServer({ host: "files.example.test", tls: leafOf("files.example.test") });
    await using place = await inPlace("extra_ca: [corporate.pem]", { "corporate.pem": corporate.certificate });
    assert.equal(JSON.parse(await fetched(place, "https://api.example.test/a")).target, "/a");
    assert.equal(JSON.parse(await fetched(place, "https://files.example.test/b")).target, "/b");
  });
});

describe("a gateway with a client certificate", () => {
  it("shows it to the hosts that it is for", async () => {
    const authority = createAuthority("Staff");
    const staff = issueLeaf(authority, { names: ["DNS:gateway.example.test"], usage: "clientAuth" });
    await using _server = await startAskingServer(authority.certificate);
    const files = { "staff.pem": staff.certificate, "staff.key": staff.key };
    await using place = await inPlace(
      `client_certificates: [{ host: api.example.test, cert: staff.pem, key: staff.key }]`,
      files,
    );
    assert.equal(await fetched(place, "https://api.example.test/"), "authorized");
    const found = await place.sandbox.run("grep -rlsF PRIVATE /sandbox /etc /run /tmp; env | grep -c PRIVATE");
    assert.doesNotMatch(found.stdout, /staff/);
  });
});

describe("a gateway whose upstream.yaml is wrong", () => {
  it("does not start, and says where the mistake is", async () => {
    await using installation = install();
    configure(installation, { "upstream.yaml": "resolve: local\nproxi: http://p.example:1\n" });
    const { code, stderr } = await installation.run(["sandbox", "create", "--name", "never"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /upstream\.yaml:2:1: error: proxi: is no known key; did you mean `proxy`/);
  });
});

/** Says whether its client has shown a certificate of the authority. */
async function startAskingServer(ca: string): Promise<AsyncDisposable> {
  const { certificate: cert, key } = leafFor("api.example.test");
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, (request, response) =>
    response.end((request.socket as TLSSocket).authorized ? "authorized" : "stranger"),
  );
  await new Promise<void>((resolve) => server.listen(443, hosts["api.example.test"][0], resolve));
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
