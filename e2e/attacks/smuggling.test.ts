/** Requests hidden in requests: what one reader takes for a body, another takes for the next request. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { askPython } from "../support/python.ts";
import { type RawTcpServer, startRawTcpServer } from "../support/raw-tcp-server.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 80, protocol: rest, rules: [{ allow: { method: "*", path: /open } }] }]
    binaries: [{ path: any }]
`;

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const open = "GET /open HTTP/1.1\r\nHost: api.example.test\r\n";
const hidden = "GET /hidden HTTP/1.1\r\nHost: api.example.test\r\n\r\n";

/** What a client sends, by what is wrong with it. All of it must be refused as ambiguous, and none of it leave. */
const ambiguous: Readonly<Record<string, string>> = {
  "Content-Length and Transfer-Encoding": `${open}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
  "two Content-Length": `${open}Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "Content-Length with a sign": `${open}Content-Length: +${hidden.length}\r\n\r\n${hidden}`,
  "Content-Length as a list": `${open}Content-Length: 0, ${hidden.length}\r\n\r\n${hidden}`,
  "an unknown transfer coding": `${open}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
  "a transfer coding with a tab": `${open}Transfer-Encoding:\tchunked\u000b\r\n\r\n0\r\n\r\n${hidden}`,
  "a space before the colon": `${open}Content-Length : ${hidden.length}\r\n\r\n${hidden}`,
  "a folded line": `${open}X: a\r\n Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "bare line feeds": `${open.replaceAll("\r\n", "\n")}\n${hidden}`,
  "two Host fields": `${open}Host: other.example.test\r\n\r\n`,
  "a NUL in a field": `${open}X: a\u0000b\r\n\r\n`,
};

describe("a request with two readings", () => {
  let installation: Installation;
  let server: RawTcpServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    const respond: Parameters<typeof startRawTcpServer>[0]["respond"] = (socket) => socket.write(answer);
    server = await startRawTcpServer({ host: "api.example.test", port: 80, respond });
    sandbox = await createSandbox(installation, "smuggler", policy);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** Sends bytes as they are, and gives all that comes back until the other side closes or says no more. */
  const send = (bytes: string): Promise<string> =>
    askPython(
      sandbox,
      `
connection = socket.create_connection(("api.example.test", 80), 10)
connection.sendall(json.loads(${JSON.stringify(JSON.stringify(bytes))}).encode("latin-1"))
connection.shutdown(socket.SHUT_WR)
received = b""
while piece := outcome(lambda: connection.recv(65536)):
    if isinstance(piece, str): break
    received += piece
print(json.dumps(received.decode("latin-1")))
`,
    );
  const heard = () => Buffer.concat(server.heard).toString("latin1");

  for (const [what, bytes] of Object.entries(ambiguous)) {
    it(`is refused, and nothing of it leaves: ${what}`, async () => {
      const before = heard();
      const received = await send(bytes);
      assert.match(received, /^HTTP\/1\.1 400 .*inspect\.ambiguous/s);
      assert.equal(heard(), before);
    });
  }

  it("is decided request by request on a connection that stays", async () => {
    const received = await send(`${open}\r\n${hidden}`);
    assert.match(received, /^HTTP\/1\.1 200 .*HTTP\/1\.1 403 .*inspect\.no_rule/s);
    assert.match(heard(), /GET \/open /);
    assert.doesNotMatch(heard(), /hidden/);
  });

  it("stays a body when it is one, whatever it looks like", async () => {
    const received = await send(`POST${open.slice(3)}Content-Length: ${hidden.length}\r\n\r\n${hidden}`);
    assert.match(received, /^HTTP\/1\.1 200 /);
    assert.equal(received.match(/HTTP\/1\.1/g)?.length, 1);
    assert.match(heard(), new RegExp(`Content-Length: ${hidden.length}\r\n(.+\r\n)*\r\n${hidden}$`, "i"));
  });
});
