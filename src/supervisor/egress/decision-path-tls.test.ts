import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import * as tls from "node:tls";
import { certificatePem, signCertificate } from "../../net/x509/certificate.ts";
import { createCertificateAuthority, newKeyPair, privateKeyPem } from "../../net/x509/certificate-authority.ts";
import { observing } from "../../policy/observe.ts";
import { serveProxyClient } from "./01-intercept/explicit-proxy.ts";
import { SandboxAuthority } from "./07-terminate/certificate-authority.ts";
import { terminate } from "./07-terminate/terminate.ts";
import { UpstreamTrust } from "./07-terminate/trust-bundle.ts";
import { createDecisionPath } from "./decision-path.ts";
import {
  LoopbackWorld,
  noRule,
  plainEndpoint,
  TestClient,
  type TestPolicy,
  testPolicy,
} from "./test-support/loopback-world.ts";

const host = "upstream.invalid";
const now = new Date();
const publicAuthority = createCertificateAuthority({ commonName: "Public CA" }, { now, days: 10 });
const stranger = createCertificateAuthority({ commonName: "Stranger" }, { now, days: 10 });
const sandbox = new SandboxAuthority("test");

/** A world in which TLS is terminated, with an HTTPS upstream that answers each request with its first line. */
class TlsWorld extends LoopbackWorld {
  #upstream: tls.Server | undefined;
  #door: { readonly proxy: number; readonly port: number } | undefined;

  /** A client's tunnel to the upstream, before TLS. */
  async tunnel(authority = publicAuthority): Promise<{ client: TestClient; port: number }> {
    this.#door ??= await this.#open(authority);
    const { proxy, port } = this.#door;
    const client = await this.connect(proxy);
    client.say(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    await client.until(/200 Connection Established\r\n\r\n$/);
    return { client, port };
  }

  async #open(authority: typeof publicAuthority): Promise<{ proxy: number; port: number }> {
    const port = await this.#startUpstream(authority);
    const trust = new UpstreamTrust(() => publicAuthority.pem);
    const base = this.context();
    const context = {
      ...base,
      steps: {
        ...base.steps,
        terminate: (peeked: Parameters<typeof terminate>[0]) =>
          terminate(peeked, { authority: sandbox, trust, signal: base.signal }),
      },
    };
    const path = createDecisionPath(context);
    const proxy = await this.listen((socket) => void serveProxyClient(socket, path, context));
    return { proxy, port };
  }

  /** The same, with TLS in it. */
  async secureTunnel(
    authority = publicAuthority,
    ca = sandbox.pem,
    protocols: readonly string[] = [],
  ): Promise<{ client: TestClient; port: number }> {
    const { client, port } = await this.tunnel(authority);
    client.socket.removeAllListeners("data");
    const secured = tls.connect({ socket: client.socket, servername: host, ca, ALPNProtocols: [...protocols] });
    await once(secured, "secureConnect");
    return { client: new TestClient(secured), port };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    this.#upstream?.close();
  }

  async #startUpstream(authority: typeof publicAuthority): Promise<number> {
    const keys = newKeyPair();
    const certificate = signCertificate(
      {
        subject: { commonName: host },
        publicKey: keys.publicKey,
        notBefore: new Date(now.getTime() - 86_400_000),
        notAfter: new Date(now.getTime() + 86_400_000),
        usage: "server",
        dnsNames: [host],
        ipAddresses: [],
      },
      authority.issuer,
    );
    const server = tls.createServer({ cert: certificatePem(certificate), key: privateKeyPem(keys.privateKey) });
    this.#upstream = server;
    server.on("tlsClientError", () => {});
    server.on("secureConnection", (socket) => {
      socket.on("error", () => {});
      socket.on("data", (piece: Buffer) => {
        const line = piece.toString("latin1").split("\r\n")[0] ?? "";
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n${line}`);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }
}

describe("TLS to an inspected endpoint", () => {
  const policy: TestPolicy = { request: ({ path }) => (path === "/no" ? noRule : undefined) };

  it("carries requests that are each decided", async () => {
    await using world = new TlsWorld(policy);
    const { client, port } = await world.secureTunnel();
    const ask = (path: string) => client.say(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    ask("/one");
    await client.until(/GET \/one HTTP\/1\.1$/);
    ask("/no");
    assert.match(await client.until(/\}\n$/), /^HTTP\/1\.1 403 [\s\S]*inspect\.no_rule/);
    ask("/two");
    await client.until(/GET \/two HTTP\/1\.1$/);
    client.socket.end();
    await client.untilClosed();
    assert.deepEqual(world.defects, []);
  });

  it("tells inside TLS that Host is another name", async () => {
    await using world = new TlsWorld(policy);
    const { client } = await world.secureTunnel();
    client.say("GET / HTTP/1.1\r\nHost: other.invalid\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 421 [\s\S]*terminate\.name_mismatch/);
  });

  it("tells inside TLS that the upstream can't be trusted", async () => {
    await using world = new TlsWorld(policy);
    const { client } = await world.secureTunnel(stranger);
    client.say(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 502 [\s\S]*terminate\.upstream_untrusted\.unknown_issuer/);
    assert.ok(world.audit.events.includes("connection refused terminate.upstream_untrusted.unknown_issuer"));
  });

  it("is refused where the endpoint has rules and forbids to look", async () => {
    await using world = new TlsWorld({ endpoint: plainEndpoint({ protocol: "rest", tls: "skip" }) });
    await assert.rejects(world.secureTunnel(publicAuthority, publicAuthority.pem));
    assert.ok(world.audit.events.includes("connection refused inspect.no_rule"));
  });

  it("passes unopened where the endpoint says so", async () => {
    await using world = new TlsWorld({ endpoint: plainEndpoint({ tls: "skip" }) });
    const { client } = await world.secureTunnel(publicAuthority, publicAuthority.pem);
    client.say("GET /unseen HTTP/1.1\r\n\r\n");
    await client.until(/GET \/unseen HTTP\/1\.1$/);
    assert.ok(!world.audit.events.some((event) => event.startsWith("request")));
  });

  it("passes unopened on a layer-4 endpoint", async () => {
    await using world = new TlsWorld({ endpoint: plainEndpoint() });
    const { client } = await world.secureTunnel(publicAuthority, publicAuthority.pem);
    client.say("GET /unseen HTTP/1.1\r\n\r\n");
    await client.until(/GET \/unseen HTTP\/1\.1$/);
  });
});

describe("TLS that is only observed", () => {
  function observedWorld(): TlsWorld {
    const world = new TlsWorld();
    world.policy = observing(testPolicy({ connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) }));
    return world;
  }

  it("is opened up, so that its requests can be learned", async () => {
    await using world = observedWorld();
    const { client, port } = await world.secureTunnel();
    client.say(`GET /learned HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    await client.until(/GET \/learned HTTP\/1\.1$/);
    assert.ok(world.audit.events.includes("request logged only /learned"));
  });

  it("passes unopened from the second time on for a program that does not trust the sandbox's authority", async () => {
    await using world = observedWorld();
    await assert.rejects(world.secureTunnel(publicAuthority, publicAuthority.pem));
    const { client } = await world.secureTunnel(publicAuthority, publicAuthority.pem);
    client.say("GET /unseen HTTP/1.1\r\n\r\n");
    await client.until(/GET \/unseen HTTP\/1\.1$/);
    assert.ok(!world.audit.events.some((event) => event.startsWith("request")));
  });

  it("passes unopened if it says to be no HTTP, and as it is if it turns out to be none", async () => {
    await using world = observedWorld();
    const { client: mail } = await world.secureTunnel(publicAuthority, publicAuthority.pem, ["imap"]);
    mail.say("a login\r\n");
    await mail.until(/a login$/);
    const { client: unnamed } = await world.secureTunnel();
    unnamed.say("\x00\x01 hello\r\n");
    await unnamed.until(/ hello$/);
    assert.ok(!world.audit.events.some((event) => event.startsWith("request")));
  });
});
