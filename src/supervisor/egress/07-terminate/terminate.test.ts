import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import * as tls from "node:tls";
import { type CanonicalHost, canonicalHost } from "../../../net/canonical-host.ts";
import { certificatePem, signCertificate } from "../../../net/x509/certificate.ts";
import { createCertificateAuthority, newKeyPair, privateKeyPem } from "../../../net/x509/certificate-authority.ts";
import { peek } from "../06-peek.ts";
import { type Guarded, isRefusal, type Refusal, type Terminated } from "../connection.ts";
import { SandboxAuthority } from "./certificate-authority.ts";
import { terminate } from "./terminate.ts";
import { trustBundle, UpstreamTrust } from "./trust-bundle.ts";

const now = new Date();
const day = 86_400_000;
const host = "api.example.test";
const publicAuthority = createCertificateAuthority({ commonName: "Public CA" }, { now, days: 100 });
const stranger = createCertificateAuthority({ commonName: "Stranger" }, { now, days: 100 });
const sandbox = new SandboxAuthority("test");
const trust = new UpstreamTrust(() => publicAuthority.pem);
const stopped = new AbortController();
const context = { authority: sandbox, trust, signal: stopped.signal };

interface UpstreamCertificate {
  readonly names?: string[];
  readonly addresses?: string[];
  readonly notAfter?: Date;
  readonly authority?: typeof publicAuthority;
  readonly keys?: {
    publicKey: ReturnType<typeof newKeyPair>["publicKey"];
    privateKey: ReturnType<typeof newKeyPair>["privateKey"];
  };
  readonly usage?: "server" | "client";
}

/** An upstream that greets; closed at the end of the tests. */
async function startUpstream(options: UpstreamCertificate = {}, more: tls.TlsOptions = {}): Promise<number> {
  const keys = options.keys ?? newKeyPair();
  const certificate = signCertificate(
    {
      subject: { commonName: host },
      publicKey: keys.publicKey,
      notBefore: new Date(now.getTime() - 20 * day),
      notAfter: options.notAfter ?? new Date(now.getTime() + day),
      usage: options.usage ?? "server",
      dnsNames: options.names ?? [host],
      ipAddresses: options.addresses ?? [],
    },
    (options.authority ?? publicAuthority).issuer,
  );
  const server = tls.createServer({ cert: certificatePem(certificate), key: privateKeyPem(keys.privateKey), ...more });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => socket.write(`echo ${data}`));
  });
  server.on("tlsClientError", () => {});
  return listen(server);
}

const servers: Server[] = [];
async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function canonical(text: string): CanonicalHost {
  const result = canonicalHost(text);
  assert.ok(result.ok);
  return result.host;
}

function guarded(stream: Socket, port: number, name = host): Guarded {
  return {
    id: "1",
    listener: "proxy",
    awaiting: "connect-answer",
    stream,
    client: { family: 4, local: { address: "127.0.0.1", port: 1 }, remote: { address: "127.0.0.1", port: 2 } },
    destination: { host: canonical(name), port },
    asked: name,
    startedAt: 0,
    holders: [],
    rule: "test",
    endpoints: [],
    inspected: true,
    revision: 1,
    addresses: [{ family: 4, text: "127.0.0.1" }],
  };
}

/** The door: accepts clients and hands the streams over. */
let door: number;
let accepted: ((socket: Socket) => void) | undefined;
before(async () => {
  door = await listen(createServer({ noDelay: true }, (socket) => accepted?.(socket)));
});
after(() => {
  for (const server of servers) server.close();
});

/** A client with these options and the result of steps 6 and 7 on its connection. */
async function through(port: number, options: tls.ConnectionOptions, name = host) {
  const arrived = new Promise<Socket>((resolve) => {
    accepted = resolve;
  });
  const raw = connect(door, "127.0.0.1");
  const client = tls.connect({ socket: raw, ca: trustBundle("", sandbox.pem), servername: host, ...options });
  client.on("error", () => {});
  // An HTTP client speaks as soon as it can.
  client.once("secureConnect", () => client.write("hello"));
  const stream = await arrived;
  stream.on("error", () => {});
  const peeked = await peek(guarded(stream, port, name));
  assert.ok(!isRefusal(peeked));
  const result = await terminate(peeked, context);
  return { client, peeked, result };
}

function close(client: Socket, result: Terminated | Refusal): void {
  client.destroy();
  if (isRefusal(result)) result.answerOn?.destroy();
  else {
    result.decrypted.destroy();
    result.upstream.destroy();
  }
}

describe("terminating TLS", () => {
  it("gives both sides decrypted, under a leaf that the sandbox trusts", async () => {
    const port = await startUpstream();
    const { client, peeked, result } = await through(port, { ALPNProtocols: ["h2", "http/1.1"] });
    assert.ok(!isRefusal(result));
    assert.equal(peeked.sni, host);
    assert.deepEqual(peeked.alpn, ["h2", "http/1.1"]);
    assert.equal(client.authorized, true);
    assert.equal(client.alpnProtocol, "http/1.1");
    result.decrypted.resume();
    const [asked] = await once(result.decrypted, "data");
    result.upstream.write(asked);
    const [answer] = await once(result.upstream, "data");
    result.decrypted.write(answer);
    const [heard] = await once(client, "data");
    assert.equal(String(heard), "echo hello");
    close(client, result);
  });

  it("speaks to an address without a name", async () => {
    const port = await startUpstream({ names: [], addresses: ["127.0.0.1"] });
    const { servername: _, ...noName } = { servername: "" };
    const { client, peeked, result } = await through(
      port,
      { ...noName, servername: "", host: "127.0.0.1" },
      "127.0.0.1",
    );
    assert.equal(peeked.sni, undefined);
    assert.ok(!isRefusal(result));
    assert.equal(client.authorized, true);
    close(client, result);
  });

  it("keeps what follows a broken record from hanging", async () => {
    const port = await startUpstream();
    const { client, result } = await through(port, {});
    assert.ok(!isRefusal(result));
    const closed = once(result.decrypted, "close");
    result.decrypted.resume();
    (client as unknown as { _parent: Socket })._parent?.write("these are no TLS records");
    await closed;
    close(client, result);
  });
});

describe("an upstream that can't be trusted", () => {
  const weakKeys = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const cases: [string, UpstreamCertificate, tls.TlsOptions, string][] = [
    ["has expired", { notAfter: new Date(now.getTime() - day) }, {}, "expired"],
    ["is another host", { names: ["other.example.test"] }, {}, "wrong_host"],
    ["has no alternative names", { names: [] }, {}, "wrong_host"],
    ["has an unknown issuer", { authority: stranger }, {}, "unknown_issuer"],
    ["has a client's certificate", { usage: "client" }, {}, "revoked"],
    ["has a weak key", { keys: weakKeys }, { ciphers: "DEFAULT:@SECLEVEL=0" }, "weak"],
    ["speaks an old TLS", {}, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" }, "weak"],
  ];
  for (const [what, certificate, options, reason] of cases) {
    it(`is refused inside the client's TLS when it ${what}`, async () => {
      const port = await startUpstream(certificate, options);
      const { client, result } = await through(port, {});
      assert.ok(isRefusal(result));
      assert.equal(result.refused, `terminate.upstream_untrusted.${reason}`, result.detail);
      assert.equal(result.rule, "test");
      result.answerOn?.write("why");
      const [heard] = await once(client, "data");
      assert.equal(String(heard), "why");
      close(client, result);
    });
  }

  it("is a broken upstream when it speaks no TLS", async () => {
    const port = await listen(createServer((socket) => socket.on("error", () => {}).end("220 smtp.example.test\r\n")));
    const { client, result } = await through(port, {});
    assert.ok(isRefusal(result));
    assert.equal(result.refused, "forward.reset", result.detail);
    assert.ok(result.answerOn);
    close(client, result);
  });
});

describe("a client of a terminated connection", () => {
  it("is told of a name that differs from the connection's", async () => {
    const { client, result } = await through(1, { servername: "other.example.test" });
    assert.ok(isRefusal(result));
    assert.equal(result.refused, "terminate.name_mismatch");
    assert.equal(client.authorized, true);
    result.answerOn?.write("why");
    assert.equal(String((await once(client, "data"))[0]), "why");
    close(client, result);
  });

  it("must give a name when it connects to one", async () => {
    const { client, result } = await through(1, { servername: "", rejectUnauthorized: false });
    assert.ok(isRefusal(result));
    assert.equal(result.refused, "terminate.name_mismatch");
    close(client, result);
  });

  it("may give the name in another case", async () => {
    const port = await startUpstream();
    const { client, result } = await through(port, { servername: "API.example.TEST" });
    assert.ok(!isRefusal(result));
    close(client, result);
  });

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`is on record when it does not trust us (${maxVersion})`, async () => {
      const port = await startUpstream();
      const { client, result } = await through(port, { ca: stranger.pem, maxVersion });
      assert.ok(isRefusal(result));
      assert.equal(result.refused, "terminate.client_rejected");
      assert.equal(result.answerOn, undefined);
      close(client, result);
    });
  }

  it("that speaks HTTP/2 alone is told in HTTP/2 that its upstream does not", async () => {
    const port = await startUpstream();
    const { client, result } = await through(port, { ALPNProtocols: ["h2"] });
    assert.ok(isRefusal(result));
    assert.equal(result.refused, "forward.reset");
    assert.match(result.detail, /speaks no HTTP\/2/);
    assert.equal(result.answerIn, "h2");
    close(client, result);
  });
});

describe("a client that leaves while its upstream's version is waited for", () => {
  for (const [how, leave] of [
    ["ends", (client: Socket) => client.end()],
    ["breaks off", (client: Socket) => client.resetAndDestroy()],
  ] as const) {
    it(`keeps no upstream busy when it ${how}, and is not taken for one that does not trust us`, async () => {
      const silent = Promise.withResolvers<Socket>();
      const port = await listen(createServer((socket) => silent.resolve(socket)));
      const arrived = new Promise<Socket>((resolve) => {
        accepted = resolve;
      });
      const raw = connect(door, "127.0.0.1");
      const client = tls.connect({ socket: raw, servername: host, ALPNProtocols: ["h2", "http/1.1"] });
      client.on("error", () => {});
      const stream = await arrived;
      stream.on("error", () => {});
      const peeked = await peek(guarded(stream, port));
      assert.ok(!isRefusal(peeked));
      const terminating = terminate(peeked, context);
      const upstream = await silent.promise;
      upstream.on("error", () => {}).resume();
      leave(raw);
      const result = await terminating;
      assert.ok(isRefusal(result));
      assert.equal(result.refused, "forward.reset");
      assert.match(result.detail, /the program left/);
      assert.equal(result.answerOn, undefined);
      if (!upstream.closed) await once(upstream, "close");
      stream.destroy();
    });
  }
});

describe("the version of HTTP", () => {
  const cases: readonly (readonly [offered: string[], spoken: string[], agreed: string])[] = [
    [["h2", "http/1.1"], ["h2", "http/1.1"], "h2"],
    [["http/1.1", "h2"], ["h2"], "h2"],
    [["h2", "http/1.1"], ["http/1.1"], "http/1.1"],
    [["http/1.1"], ["h2", "http/1.1"], "http/1.1"],
  ];
  for (const [offered, spoken, agreed] of cases) {
    it(`is ${agreed} for a client of ${offered.join(" and ")} with an upstream of ${spoken.join(" and ")}`, async () => {
      const port = await startUpstream({}, { ALPNProtocols: spoken });
      const { client, result } = await through(port, { ALPNProtocols: offered });
      assert.ok(!isRefusal(result));
      assert.equal(result.agreed, agreed);
      assert.equal(client.alpnProtocol, agreed);
      close(client, result);
    });
  }
});

describe("the sandbox's authority", () => {
  it("makes one leaf for a host, and few for many", () => {
    const first = sandbox.contextFor(canonical("one.test"));
    assert.equal(sandbox.contextFor(canonical("one.test")), first);
    for (let i = 0; i < 256; i++) sandbox.contextFor(canonical(`h${i}.test`));
    assert.notEqual(sandbox.contextFor(canonical("one.test")), first);
  });

  it("renews a leaf that grows old", () => {
    let time = now.getTime();
    const authority = new SandboxAuthority("clock", () => time);
    const first = authority.contextFor(canonical("one.test"));
    time += 11 * day;
    assert.notEqual(authority.contextFor(canonical("one.test")), first);
  });

  it("and its leaves are good also when the clock is set back", () => {
    let time = now.getTime() + 30 * day;
    const authority = new SandboxAuthority("clock", () => time);
    const first = authority.contextFor(canonical("one.test"));
    time = now.getTime();
    assert.notEqual(authority.contextFor(canonical("one.test")), first);
    assert.ok(new X509Certificate(authority.pem).validFromDate < now);
  });
});
