/** Clients that speak HTTP/2, and gRPC, in a sandbox: what they may ask passes unchanged, and the rest is refused in words. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { build, stop } from "esbuild";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type GrpcServer, type Http2EchoServer, startGrpcServer, startHttp2Server } from "../support/http2-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

const policy = `
network_policies:
  web:
    endpoints:
      - { host: api.example.test, ports: [80, 443], protocol: rest, rules: [{ allow: { method: "*", path: /ok/** } }] }
      - { host: files.example.test, port: 443, protocol: rest, access: full, deny_rules: [{ method: "*", path: "*/Secret" }] }
      - { host: other.example.test, ports: [80, 443], protocol: rest, access: read-only }
    binaries: [{ path: any }]
`;

/** Asks with Node's own client and prints status and body; `h2.cjs URL METHOD BODY`. */
const nodeClient = `
  const [url, method = "GET", body = ""] = process.argv.slice(2);
  const { origin, pathname } = new URL(url);
  const session = require("node:http2").connect(origin);
  session.on("error", (error) => console.log("session", error.code));
  const stream = session.request({ ":method": method, ":path": pathname }, { endStream: body === "" });
  let text = "";
  stream.on("error", (error) => console.log("stream", error.code));
  stream.on("response", (fields) => console.log(fields[":status"], fields["x-openshell-reason"] ?? ""));
  stream.on("data", (piece) => (text += piece));
  stream.on("close", () => { console.log(text.trim()); session.close(); });
  if (body !== "") stream.end(body);
`;

const undiciClient = `
  import { Agent, EnvHttpProxyAgent, request } from "undici";
  const [url, way] = process.argv.slice(2);
  const dispatcher = new (way === "proxy" ? EnvHttpProxyAgent : Agent)({ allowH2: true, connect: { allowH2: true } });
  request(url, { dispatcher }).then(async ({ statusCode, body }) => console.log(statusCode, (await body.text()).trim()));
`;

/** Calls one method of the service and prints what came as JSON. */
const grpcClient = `
  import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
  import { readFileSync } from "node:fs";
  import { echoService } from "${new URL("../support/http2-server.ts", import.meta.url).pathname}";
  const Echo = makeGenericClientConstructor(echoService, "Echo");
  const client = new Echo("files.example.test:443", credentials.createSsl(readFileSync(process.env.SSL_CERT_FILE)));
  const [what] = process.argv.slice(2);
  const print = (value) => { console.log(JSON.stringify(value)); client.close(); };
  const said = (error, value) => print(error ? { code: error.code, details: error.details } : value);
  const all = (call) => {
    const heard = [];
    call.on("data", ({ text }) => heard.push(text));
    call.on("error", said);
    call.on("end", () => print(heard));
    return call;
  };
  const inTime = { deadline: Date.now() + 15000 };
  const calls = {
    one: () => {
      const call = client.one({ text: "hello" }, inTime, (error, value) => call.on("status", ({ metadata }) => said(error, { ...value, trailer: metadata.get("x-trailer") })));
    },
    secret: () => client.secret({ text: "x" }, inTime, said),
    down: () => all(client.down({ text: "d" }, inTime)),
    up: () => { const call = client.up(inTime, said); for (const text of ["a", "b", "c"]) call.write({ text }); call.end(); },
    both: () => {
      const call = all(client.both(inTime));
      let count = 0;
      call.on("data", () => (++count < 3 ? call.write({ text: String(count) }) : call.end()));
      call.write({ text: "0" });
    },
    deadline: () => client.waitForReady(inTime.deadline, () => client.wait({ text: "" }, { deadline: Date.now() + 1000 }, said)),
    cancel: () => { const call = client.wait({ text: "" }, inTime, said); call.on("metadata", () => call.cancel()); },
  };
  calls[what]();
`;

/** A client in one file, as a program in a sandbox has no packages of ours. */
async function bundle(contents: string): Promise<string> {
  const options = { bundle: true, platform: "node", format: "cjs", minify: true, write: false } as const;
  const { outputFiles } = await build({ stdin: { contents, resolveDir: import.meta.dirname }, ...options });
  return outputFiles[0]?.text ?? "";
}

describe("HTTP/2 in a sandbox", () => {
  let installation: Installation;
  let servers: Http2EchoServer[];
  let old: HttpServer;
  let grpc: GrpcServer;
  let sandbox: Sandbox;

  before(async () => {
    installation = install();
    servers = [
      await startHttp2Server("api.example.test", { tls: true }),
      await startHttp2Server("api.example.test", { tls: false }),
    ];
    old = await startHttpServer({ host: "other.example.test" });
    grpc = await startGrpcServer("files.example.test");
    sandbox = await createSandbox(installation, "h2", policy);
    for (const [name, input] of [
      ["h2.cjs", nodeClient],
      ["undici.cjs", await bundle(undiciClient)],
      ["grpc.cjs", await bundle(grpcClient)],
    ] as const) {
      const placed = await installation.run(["sandbox", "exec", "--name", "h2", "--", "tee", name], { input });
      assert.equal(placed.code, 0, placed.stderr);
    }
    await stop();
  });
  after(async () => {
    for (const server of [...servers, old, grpc]) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  const heard = () => servers.flatMap((server) => server.heard);
  const prints = async (command: string) => {
    const { stdout, stderr } = await sandbox.run(`timeout 25 ${command}`);
    assert.notEqual(stdout, "", stderr);
    return stdout;
  };

  describe("by curl", () => {
    for (const [way, curl] of [
      ["the proxy", "curl -sS --http2"],
      ["capture", "curl -sS --http2 --noproxy '*'"],
    ] as const) {
      it(`passes what a rule allows, through ${way}`, async () => {
        assert.equal(await prints(`${curl} https://api.example.test/ok/one`), "GET 2.0 /ok/one 0\n");
        const upload = `head -c 3000000 /dev/zero | ${curl} --data-binary @- https://api.example.test/ok/up`;
        assert.equal((await sandbox.run(upload)).stdout, "POST 2.0 /ok/up 3000000\n");
      });

      it(`refuses the rest with the reason, through ${way}`, async () => {
        const before = heard().length;
        const answer = await prints(`${curl} -w '%{http_version} %{http_code}' -d x https://api.example.test/no`);
        assert.match(answer, /"reason":"inspect\.no_rule"[^\n]*\n2 403$/);
        const large = `head -c 3000000 /dev/zero | ${curl} -w '%{http_code}' --data-binary @- https://api.example.test/no`;
        assert.match((await sandbox.run(large)).stdout, /403$/);
        assert.equal(heard().length, before);
      });
    }

    it("falls back to HTTP/1.1 where the server speaks nothing else", async () => {
      const answer = await prints(
        "curl -sS --http2 -o /dev/null -w '%{http_version} %{http_code}' https://other.example.test/",
      );
      assert.equal(answer, "1.1 200");
    });

    it("is decided the same when it knows beforehand, without TLS", async () => {
      const curl = "curl -sS --http2-prior-knowledge --noproxy '*'";
      assert.equal(await prints(`${curl} http://api.example.test/ok/plain`), "GET 2.0 /ok/plain 0\n");
      assert.match(await prints(`${curl} http://api.example.test/no`), /"reason":"inspect\.no_rule"/);
    });

    it("does not get past the rules by an upgrade to HTTP/2", async () => {
      const before = heard().length;
      const answer = await prints("curl -sS --http2 --noproxy '*' -w '%{http_version}' http://api.example.test/no");
      assert.match(answer, /"reason":"inspect\.no_rule"[^\n]*\n1\.1$/);
      assert.equal(heard().length, before);
    });

    it("has one event for each request, with what was asked and decided", async () => {
      const before = installation.events().length;
      await prints(
        "curl -sS --http2 https://api.example.test/ok/a https://api.example.test/no https://api.example.test/ok/b",
      );
      const events = installation
        .events()
        .slice(before)
        .filter(({ class_uid }) => class_uid === 4002);
      const facts = events.map((event) => {
        assert.ok("http_request" in event);
        return [event.http_request.version, event.http_request.url.path, event.disposition];
      });
      const expected = [
        ["2", "/no", "Blocked"],
        ["2", "/ok/a", "Allowed"],
        ["2", "/ok/b", "Allowed"],
      ];
      assert.deepEqual(
        facts.sort((a, b) => `${a[1]}`.localeCompare(`${b[1]}`)),
        expected,
      );
    });
  });

  it("by Node's own client is decided stream by stream", async () => {
    assert.equal(await prints("node h2.cjs https://api.example.test/ok/n POST abc"), "200 \nPOST 2.0 /ok/n 3\n");
    assert.match(await prints("node h2.cjs https://api.example.test/no POST abc"), /^403 inspect\.no_rule\n/);
    // It offers nothing but HTTP/2, so that it is told in HTTP/2 what is wrong.
    assert.match(await prints("node h2.cjs https://other.example.test/"), /^502 forward\.reset\n.*speaks no HTTP\/2/);
  });

  // By a proxy, undici itself asks for HTTP/1.1.
  for (const [way, version] of [
    ["proxy", "1.1"],
    ["capture", "2.0"],
  ] as const) {
    it(`by undici passes, through ${way}`, async () => {
      const answer = await prints(`node undici.cjs https://api.example.test/ok/u ${way}`);
      assert.equal(answer, `200 GET ${version} /ok/u 0\n`);
    });
  }

  describe("as gRPC", () => {
    const call = async (what: string) => JSON.parse(await prints(`node grpc.cjs ${what}`));

    it("carries calls of every kind, and metadata behind them", async () => {
      assert.deepEqual(await call("one"), { text: "hello", trailer: ["from the server"] });
      assert.deepEqual(await call("down"), ["d0", "d1", "d2"]);
      assert.deepEqual(await call("up"), { text: "abc" });
      assert.deepEqual(await call("both"), ["0", "1", "2"]);
    });

    it("tells of a refusal as gRPC does", async () => {
      const { code, details } = await call("secret");
      assert.equal(code, 7);
      assert.equal(details, "POST /test.Echo/Secret not permitted by policy (inspect.deny_rule)");
    });

    it("tells the server of deadlines and cancellations", async () => {
      assert.equal((await call("deadline")).code, 4);
      assert.equal((await call("cancel")).code, 1);
      await grpc.untilCancelled(2);
    });
  });
});
