/** Programs that would act under another program's name, or with another program's connection. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { freshConnections } from "../support/network-events.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 80, protocol: rest, access: full }]
    binaries: [{ path: /sandbox/bin/fetch }, { path: /sandbox/bin/sharer }]
  for_curl:
    endpoints: [{ host: twin.example.test, port: 80, protocol: rest, access: full }]
    binaries: [{ path: /usr/bin/curl }]
`;

describe("a program that is not the one which a rule names", () => {
  let installation: Installation;
  let server: HttpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    server = await startHttpServer({ host: "api.example.test", tls: false });
    sandbox = await createSandbox(installation, "identity", policy);
    await sandbox.run("mkdir ~/bin; cp /usr/bin/curl ~/bin/fetch; cp -L /usr/bin/python3 ~/bin/sharer");
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** What is on record of a host's connections since the last call. */
  const fresh = freshConnections(() => installation);
  const refusals = () => fresh().flatMap((event) => (event.disposition === "Blocked" ? [event.status_code] : []));

  it("is refused, whatever it calls itself", async () => {
    refusals();
    for (const [script, program] of [
      // The name of argv[0] is the caller's to choose, as is that in /proc/PID/comm.
      ["exec -a /sandbox/bin/fetch curl -sf http://api.example.test/", "/usr/bin/curl"],
      ["ln -s /usr/bin/curl ~/fetch; ~/fetch -sf http://api.example.test/", "/usr/bin/curl"],
      ["cp /usr/bin/curl /tmp/fetch; /tmp/fetch -sf http://api.example.test/", "/tmp/fetch"],
    ] as const) {
      const { code } = await sandbox.run(`bash -c '${script}'`);
      assert.notEqual(code, 0, script);
      const events = fresh().map(({ status_code, actor }) => [status_code, actor?.process.path]);
      assert.deepEqual(events, [["decide.binary_not_allowed", program]], script);
    }
  });

  it("is refused once other content has taken an allowed program's place, also after a restart", async () => {
    const fetched = async () => (await sandbox.run("~/bin/fetch -sf http://api.example.test/")).code;
    assert.equal(await fetched(), 0);
    refusals();
    await sandbox.run("cp ~/bin/fetch ~/original; rm ~/bin/fetch; cp /usr/bin/curl ~/bin/fetch; echo >> ~/bin/fetch");
    assert.notEqual(await fetched(), 0);
    assert.deepEqual(refusals(), ["identify.binary_changed"]);
    for (const verb of ["stop", "start"]) await installation.run(["sandbox", verb, sandbox.name]);
    assert.notEqual(await fetched(), 0);
    assert.deepEqual(refusals(), ["identify.binary_changed"]);
    // What was first seen there may come back.
    await sandbox.run("mv ~/original ~/bin/fetch");
    assert.equal(await fetched(), 0);
  });

  it("is refused when it holds an allowed program's connection with it", async () => {
    refusals();
    const asked = server.requests.length;
    // A program that is not allowed opens the socket and keeps it; an allowed one, its child, connects and asks.
    await sandbox.run(`python3 - <<'PYTHON'
import socket, subprocess
connection = socket.socket()
child = """
import socket, sys
connection = socket.socket(fileno=int(sys.argv[1]))
connection.connect(("api.example.test", 80))
connection.sendall(b"GET /shared HTTP/1.1\\\\r\\\\nHost: api.example.test\\\\r\\\\n\\\\r\\\\n")
print(connection.recv(4096).decode("latin-1"))
"""
shared = connection.fileno()
subprocess.run(["/sandbox/bin/sharer", "-c", child, str(shared)], pass_fds=[shared])
PYTHON`);
    assert.deepEqual(refusals(), ["decide.binary_not_allowed"]);
    assert.equal(server.requests.length, asked);
  });

  it("finds no way around in a socket of another kind: MPTCP is captured like TCP", async () => {
    refusals();
    const asked = server.connections();
    const got = await askPython(
      sandbox,
      `
def fetch():
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    connection.settimeout(10)
    connection.connect(("api.example.test", 80))
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: api.example.test\\r\\n\\r\\n")
    return connection.recv(4096).decode("latin-1")
print(json.dumps(outcome(fetch)))
`,
    );
    assert.doesNotMatch(String(got), /200 OK/);
    assert.equal(server.connections(), asked);
    assert.equal(refusals().length, 1);
  });

  it("is on record with the script that it runs", async () => {
    fresh();
    await sandbox.run(
      "printf '#!/usr/bin/env python3\\nimport urllib.request\\nurllib.request.urlopen(\"http://other.example.test/\")\\n' > ~/script; chmod +x ~/script; ~/script",
    );
    const [event] = fresh();
    assert.match(event?.actor?.process.path ?? "", /^\/usr\/bin\/python3/);
    assert.match(JSON.stringify(event), /\/sandbox\/script/);
  });
});
