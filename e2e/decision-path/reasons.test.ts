/** Each reason for a refusal, provoked from inside a sandbox by the program that most would use: curl. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthority, issueLeaf } from "../support/certificates.ts";
import { type HttpServer, leafFor, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { unresolvedName } from "../support/names.ts";
import { type RawTcpServer, startRawTcpServer } from "../support/raw-tcp-server.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { skipInContainers, world } from "../support/world.ts";

const inspected = (...names: readonly string[]) =>
  names.map((host) => `{ host: ${host}, port: 443, protocol: rest, access: full }`).join(", ");

const policy = `
network_policies:
  open:
    endpoints: [
      ${inspected("expired.example.test", "wrong-host.example.test", "unknown-issuer.example.test", "nowhere.example.test")},
      ${inspected("loopback.example.test", "metadata.example.test", "link-local.example.test", "half-private.example.test")},
      ${inspected(unresolvedName)},
      { host: "*.example.test", port: 8443 },
      { host: public.example.test, port: 6443 },
    ]
    binaries: [{ path: /usr/bin/curl }]
  api:
    endpoints: [
      { host: api.example.test, port: 443, protocol: rest, access: full, deny_rules: [{ method: "*", path: /secret/** }] },
      { host: ssh.example.test, port: 22, protocol: rest, access: full },
    ]
    binaries: [{ path: /usr/bin/curl }]
  for_python:
    endpoints: [{ host: files.example.test, port: 443 }]
    binaries: [{ path: /usr/bin/python3* }]
`;

/** What to ask for, and the reason that it is refused for. */
const requests: readonly (readonly [reason: string, url: string, options?: string])[] = [
  ["decide.implicit_deny", "https://twin.example.test/"],
  ["decide.binary_not_allowed", "https://files.example.test/"],
  ["guard.loopback", "https://loopback.example.test/"],
  ["guard.metadata", "https://metadata.example.test/"],
  ["guard.link_local", "https://link-local.example.test/"],
  ["guard.loopback", "https://half-private.example.test/"],
  ["guard.private", "https://other.example.test:8443/"],
  ["guard.control_plane", "https://public.example.test:6443/"],
  ["guard.unresolved", `https://${unresolvedName}/`],
  ["terminate.upstream_untrusted.expired", "https://expired.example.test/"],
  ["terminate.upstream_untrusted.wrong_host", "https://wrong-host.example.test/"],
  ["terminate.upstream_untrusted.unknown_issuer", "https://unknown-issuer.example.test/"],
  ["terminate.name_mismatch", "https://api.example.test/", "-H 'Host: twin.example.test'"],
  ["forward.unreachable", "https://nowhere.example.test/"],
  ["inspect.deny_rule", "https://api.example.test/secret/key"],
  ["inspect.ambiguous", "https://api.example.test/a/../b", "--path-as-is"],
  ["inspect.ambiguous", "https://api.example.test/", "-H 'Content-Length: 1' -H 'Transfer-Encoding: chunked' -d x"],
  ["inspect.method_unsupported", "https://api.example.test/", "-X TRACE"],
  [
    "inspect.upgrade",
    "https://api.example.test/",
    "-H 'Connection: upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='",
  ],
];

describe("a refusal", () => {
  let installation: Installation;
  let servers: (HttpServer | RawTcpServer)[];
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    const { authority } = world();
    const expired = issueLeaf(authority, { names: ["DNS:expired.example.test"], days: -1 });
    const stranger = issueLeaf(createAuthority("Stranger"), { names: ["DNS:unknown-issuer.example.test"] });
    servers = await Promise.all([
      startHttpServer({ host: "api.example.test" }),
      startHttpServer({ host: "expired.example.test", tls: expired }),
      startHttpServer({ host: "wrong-host.example.test", tls: leafFor("other.example.test") }),
      startHttpServer({ host: "unknown-issuer.example.test", tls: stranger }),
    ]);
    sandbox = await createSandbox(installation, "reasons", policy);
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  for (const [reason, url, options = ""] of requests) {
    it(`says ${reason} for ${url} ${options}`, async () => {
      const before = installation.events().length;
      await sandbox.run(`curl -sS --max-time 10 ${options} '${url}'`);
      const codes = installation
        .events()
        .slice(before)
        .flatMap((event) => ("status_code" in event ? [event.status_code] : []));
      assert.ok(codes.includes(reason), `got ${codes.join(", ") || "none"}`);
    });
  }

  it("that no honest program causes also raises a finding", async () => {
    const before = installation.events().length;
    await sandbox.run("curl -sS --max-time 10 https://metadata.example.test/");
    const findings = installation
      .events()
      .slice(before)
      .filter(({ class_uid }) => class_uid === 2004);
    assert.equal(findings.length, 1);
  });

  const heads: readonly (readonly [reason: string, head: string])[] = [
    ["intercept.malformed_destination", "CONNECT bad%00host:443 HTTP/1.1\\r\\nHost: bad%00host:443"],
    ["intercept.malformed_request", "GET / HTTP/1.1\\r\\nHost: api.example.test"],
  ];
  for (const [reason, head] of heads) {
    it(`says ${reason} to whoever asks the proxy for ${JSON.stringify(head)}`, async () => {
      const ask = `import socket; s=socket.create_connection(("127.0.0.1", 3128)); s.sendall(b"${head}\\r\\n\\r\\n"); print(s.recv(4096))`;
      const { stdout } = await sandbox.run(`python3 -c '${ask}'`);
      assert.ok(stdout.includes(`"reason":"${reason}"`), stdout);
    });
  }

  const unseen = skipInContainers("nobody in its containers may ask the kernel for the trace");
  it("says intercept.udp for a datagram, with the program that sent it", unseen, async () => {
    await sandbox.run(
      'python3 -c \'import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"x", ("10.77.0.1", 5000))\'',
    );
    const refusals = () =>
      installation.events().filter((event) => "status_code" in event && event.status_code === "intercept.udp");
    // The kernel tells of a datagram a moment after it was refused.
    for (const deadline = Date.now() + 10_000; refusals().length === 0 && Date.now() < deadline; ) await sleep(20);
    assert.equal(refusals().length, 1);
  });
});

describe("a server that speaks first", () => {
  it("is heard through an uninspected endpoint, and refused on an inspected one", async () => {
    const installation = install();
    {
      await using _ = await startRawTcpServer({ host: "ssh.example.test", port: 22, greeting: "SSH-2.0-test\r\n" });
      await using __ = await startRawTcpServer({ host: "ssh.example.test", port: 23, greeting: "SSH-2.0-test\r\n" });
      const sandbox = await createSandbox(
        installation,
        "first",
        `
network_policies:
  ssh:
    endpoints: [{ host: ssh.example.test, port: 22 }, { host: ssh.example.test, port: 23, protocol: rest, access: full }]
    binaries: [{ path: any }]
`,
      );
      const greet = (port: number) =>
        sandbox.run(
          `python3 -c 'import socket; s=socket.create_connection(("ssh.example.test", ${port}), 20); print(s.recv(100))'`,
        );
      assert.equal((await greet(22)).stdout, "b'SSH-2.0-test\\r\\n'\n");
      assert.doesNotMatch((await greet(23)).stdout, /SSH-2/);
      assert.ok(installation.events().some((event) => "status_code" in event && event.status_code === "peek.timeout"));
    }
    await installation[Symbol.asyncDispose]();
  });
});
