import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { Credentials } from "../../09-credential/credentials.ts";
import { answerTo, Http2World, type Upstream } from "../../test-support/http2-world.ts";
import { noRule, plainEndpoint, type TestPolicy, testPolicy } from "../../test-support/loopback-world.ts";

/** Answers with the path and what came as the body. */
const echo: Upstream = (stream, raw) => {
  let body = "";
  stream.on("data", (piece: Buffer) => {
    body += piece.toString("latin1");
  });
  stream.on("end", () => {
    stream.respond({ ":status": 200 });
    stream.end(`${raw[raw.indexOf(":path") + 1]} ${body}`);
  });
};
const policy: TestPolicy = { request: ({ path }) => (path === "/no" ? noRule : undefined) };

describe("streams of an HTTP/2 connection", () => {
  it("are each decided on their own", async () => {
    await using world = new Http2World(policy);
    const client = await world.client(echo);
    assert.equal((await client.get("/yes")).body, "/yes ");
    const refused = await client.get("/no");
    assert.equal(refused.status, 403);
    assert.equal(refused.headers["x-openshell-reason"], "inspect.no_rule");
    assert.equal(JSON.parse(refused.body).detail, "GET /no not permitted by policy");
    assert.equal((await client.post("/again", "x".repeat(300_000))).body, `/again ${"x".repeat(300_000)}`);
    assert.deepEqual(world.audit.events, [
      "connection allowed upstream.invalid",
      "request allowed /yes",
      "request completed 200",
      "request refused inspect.no_rule",
      "request allowed /again",
      "request completed 200",
    ]);
    assert.deepEqual(world.defects, []);
  });

  it("run side by side, and are answered as soon as each is ready", async () => {
    await using world = new Http2World(policy);
    const waiting: (() => void)[] = [];
    const client = await world.client((stream, raw, flags) => {
      if (raw.includes("/slow")) waiting.push(() => echo(stream, raw, flags));
      else echo(stream, raw, flags);
    });
    const slow = client.get("/slow");
    assert.equal((await client.get("/fast")).body, "/fast ");
    for (const answer of waiting) answer();
    assert.equal((await slow).body, "/slow ");
  });

  it("are refused while their body still comes, and the answer arrives", async () => {
    await using world = new Http2World(policy);
    const client = await world.client(echo);
    const stream = client.session.request({ ":method": "POST", ":path": "/no" });
    stream.write("x".repeat(30_000));
    const answered = answerTo(stream);
    await once(stream, "response");
    stream.end("x".repeat(100_000));
    const { status, body } = await answered;
    assert.equal(status, 403);
    assert.equal(JSON.parse(body).reason, "inspect.no_rule");
    assert.equal(world.upstreams.length, 0);
  });

  it("follow a policy that changes meanwhile", async () => {
    await using world = new Http2World();
    const client = await world.client(echo);
    assert.equal((await client.get("/")).status, 200);
    world.policy = testPolicy({ version: 2, connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) });
    assert.equal((await client.get("/")).headers["x-openshell-reason"], "decide.implicit_deny");
  });

  it("are cut when the policy is rechecked and no longer allows the destination", async () => {
    await using world = new Http2World();
    const client = await world.client(() => {});
    const answer = client.get("/");
    while (world.upstreams.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    world.policy = testPolicy({ version: 2, connect: () => ({ kind: "deny", reason: "decide.implicit_deny" }) });
    const closed = once(client.session, "close");
    world.path.recheck();
    await closed;
    assert.equal((await answer).status, undefined);
  });

  it("carry the canonical path and authority, and no field of a proxy's", async () => {
    await using world = new Http2World();
    let heard: readonly string[] = [];
    const client = await world.client((stream, raw, flags) => {
      heard = raw;
      echo(stream, raw, flags);
    });
    await client.get("/a%7eb?q=%7e", { "proxy-authorization": "Basic x", te: "trailers", accept: "*/*" });
    assert.deepEqual(heard, [
      ...[":method", "GET", ":scheme", "http", ":authority", world.authority, ":path", "/a~b?q=%7e"],
      ...["te", "trailers", "accept", "*/*"],
    ]);
  });

  it("carry interim responses, and trailers both ways", async () => {
    await using world = new Http2World();
    const client = await world.client((stream) => {
      stream.additionalHeaders({ ":status": 103, link: "</style.css>" });
      stream.on("trailers", (trailers) => {
        stream.respond({ ":status": 200 }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": `${trailers["x-sum"]}!` }));
        stream.end("done");
      });
      stream.resume();
    });
    const stream = client.session.request({ ":method": "POST", ":path": "/" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "abc" }));
    const interim = once(stream, "headers");
    stream.end("body");
    const { body, trailers } = await answerTo(stream);
    assert.equal((await interim)[0].link, "</style.css>");
    assert.equal(body, "done");
    assert.equal(trailers?.["x-sum"], "abc!");
  });

  for (const [what, request, status] of [
    ["HEAD", { ":method": "HEAD" }, 200],
    ["204", {}, 204],
    ["304", {}, 304],
  ] as const) {
    it(`end without a body after ${what}`, async () => {
      await using world = new Http2World();
      const client = await world.client((stream) => {
        stream.respond({ ":status": status, ...(what === "HEAD" && { "content-length": "10" }) }, { endStream: true });
      });
      const answer = await client.get("/", request);
      assert.equal(answer.status, status);
      assert.equal(answer.body, "");
      assert.equal(answer.headers["content-length"], what === "HEAD" ? "10" : undefined);
      assert.equal(world.audit.events.at(-1), `request completed ${status}`);
    });
  }

  it("hold an upstream back whose client does not read", async () => {
    await using world = new Http2World();
    const total = 32 * 1024 * 1024;
    let sent = 0;
    const client = await world.client((stream) => {
      // Otherwise Node's server resets the stream in place of ending it.
      stream.resume();
      stream.respond({ ":status": 200 });
      const piece = Buffer.alloc(65_536);
      const more = () => {
        while (sent < total) {
          sent += piece.length;
          if (!stream.write(piece)) return stream.once("drain", more);
        }
        return stream.end();
      };
      more();
    });
    const stream = client.session.request({ ":path": "/" });
    await once(stream, "response");
    let before = -1;
    // Until nothing moves any more.
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(sent < 4 * 1024 * 1024, `${sent} bytes were taken from the upstream`);
    let received = 0;
    stream.on("data", (piece: Buffer) => {
      received += piece.length;
    });
    await once(stream, "close");
    assert.equal(received, total);
  });
});

describe("an HTTP/2 stream that is broken off", () => {
  it("by the client is reset towards the upstream", async () => {
    await using world = new Http2World();
    const reset = Promise.withResolvers<number>();
    const client = await world.client((stream) => stream.on("close", () => reset.resolve(stream.rstCode ?? 0)));
    const stream = client.session.request({ ":path": "/" });
    stream.on("error", () => {});
    while (world.upstreams.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stream.close(8);
    assert.equal(await reset.promise, 8);
  });

  it("by the upstream is reset towards the client with the same code, which says whether to try again", async () => {
    await using world = new Http2World();
    const client = await world.client((stream) => stream.close(7));
    assert.equal((await client.get("/")).rstCode, 7);
    assert.equal(world.audit.events.at(-1), "request refused forward.reset");
  });

  it("without an error, as Node's servers end responses in place of trailers, comes with all of the response", async () => {
    await using world = new Http2World();
    const client = await world.client((stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.close());
      stream.end("x".repeat(3_000_000));
    });
    const { status, body, rstCode } = await client.get("/");
    assert.deepEqual([status, body.length, rstCode], [200, 3_000_000, 0]);
    assert.equal(world.audit.events.at(-1), "request refused forward.reset");
  });

  it("by an upstream that leaves is answered in words", async () => {
    await using world = new Http2World();
    const client = await world.client((stream) => stream.session?.socket.destroy());
    const { status, headers } = await client.get("/");
    assert.deepEqual([status, headers["x-openshell-reason"]], [502, "forward.reset"]);
  });

  it("is never opened once the upstream takes no more: the client is told to open another connection", async () => {
    await using world = new Http2World();
    const client = await world.client((stream, raw, flags) => {
      echo(stream, raw, flags);
      stream.session?.goaway();
    });
    const told = once(client.session, "goaway");
    assert.equal((await client.get("/")).status, 200);
    assert.equal((await told)[0], 0);
  });
});

describe("a credential's placeholder on a stream", () => {
  const placeholder = "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  /** Lets the credential go to the host, on the port of the world's upstream. */
  const bind = (world: Http2World, host: string) => {
    const port = Number(world.authority.split(":")[1]);
    const binding = { provider: "hub", key: "TOKEN", expiresAtMs: "0", endpoints: [{ host, port, path: "" }] };
    world.credentials = new Credentials({ credentials: [{ ...binding, placeholder, secret: "s3cret" }] });
  };
  /** Answers with the Authorization field, the length and the body. */
  const tell: Upstream = async (stream, raw) => {
    const field = (name: string) => raw[raw.indexOf(name) + 1];
    const body = await text(stream).catch(() => "");
    if (stream.closed) return;
    stream.respond({ ":status": 200 });
    stream.end(`${field("authorization")} ${field("content-length")} ${body}`);
  };

  it("becomes the secret in fields, and in a body where the endpoint says so", async () => {
    const endpoint = plainEndpoint({ protocol: "rest", requestBodyCredentialRewrite: true });
    await using world = new Http2World({ endpoint });
    const client = await world.client(tell);
    bind(world, "upstream.invalid");
    const body = JSON.stringify({ key: placeholder });
    const fields = { authorization: `token ${placeholder}`, "content-type": "application/json" };
    const answer = await client.post("/", body, { ...fields, "content-length": `${body.length}` });
    assert.equal(answer.body, 'token s3cret 16 {"key":"s3cret"}');
  });

  it("goes nowhere else, neither in fields nor in a body", async () => {
    await using world = new Http2World();
    const client = await world.client(tell);
    bind(world, "elsewhere.invalid");
    const inField = await client.get("/", { authorization: `token ${placeholder}` });
    assert.equal(inField.headers["x-openshell-reason"], "credential.endpoint_mismatch");
    const inBody = await client.post("/", `x${placeholder}x`);
    assert.equal(inBody.headers["x-openshell-reason"], "credential.endpoint_mismatch");
    assert.equal((await client.post("/", "nothing of that kind")).status, 200);
  });

  it("is what comes back where the endpoint masks credentials, in a response that is short enough to be searched", async () => {
    await using world = new Http2World({ endpoint: plainEndpoint({ protocol: "rest", maskCredentials: true }) });
    const client = await world.client((stream, raw) => {
      const key = raw[raw.indexOf("authorization") + 1] ?? "";
      const sent = raw[raw.indexOf("accept-encoding") + 1] ?? "";
      if (raw.includes("/long")) {
        stream.respond({ ":status": 200 });
        stream.end("x".repeat(256 * 1024 + 1));
        return;
      }
      const body = `${sent} ${key}`;
      stream.respond({ ":status": 200, "x-echo": key, "content-length": body.length }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": key }));
      stream.write(body.slice(0, -3));
      setTimeout(() => stream.end(body.slice(-3)), 20);
    });
    bind(world, "upstream.invalid");
    const fields = { authorization: `token ${placeholder}`, "accept-encoding": "gzip" };
    const answer = await client.get("/", fields);
    assert.equal(answer.body, `identity token ${placeholder}`);
    assert.equal(answer.headers["x-echo"], `token ${placeholder}`);
    assert.equal((await client.get("/long", fields)).headers["x-openshell-reason"], "credential.unmaskable");
    assert.deepEqual(world.defects, []);
  });
});
