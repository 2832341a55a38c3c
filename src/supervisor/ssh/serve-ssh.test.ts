/** The SSH server with a real init, which starts programs without a sandbox around them, and a client of another kind than OpenSSH. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import ssh2, { type Client, type ClientChannel, type ConnectConfig } from "ssh2";
import type { AuditedSsh } from "../audit/audited.ts";
import type { InitLink } from "../init-link.ts";
import { connectedPair } from "../test-support/connected-pair.ts";
import { startUnconfinedInit } from "../test-support/unconfined-init.ts";
import { loadHostKey } from "./host-key.ts";
import { serveSsh } from "./serve-ssh.ts";

/** What a program said and how it ended. */
interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | undefined;
}

async function ended(channel: ClientChannel): Promise<Ended> {
  const exit = new Promise<Pick<Ended, "code" | "signal">>((resolve) => {
    channel.on("exit", (code: number | null, signal?: string) => resolve({ code, signal }));
  });
  const [stdout, stderr, how] = await Promise.all([text(channel), text(channel.stderr as Readable), exit]);
  return { stdout, stderr, ...how };
}

describe("a sandbox's SSH server", () => {
  const directory = mkdtempSync(join(tmpdir(), "ssh-"));
  const { privateKey, publicKey } = loadHostKey(directory);
  let init: InitLink;
  const events: AuditedSsh[] = [];
  const forwarded: { stream: Duplex; host: string; port: number }[] = [];

  before(() => {
    ({ init } = startUnconfinedInit());
  });
  after(() => {
    init.close();
    rmSync(directory, { recursive: true });
  });

  function connect(options: Partial<ConnectConfig> = {}): Promise<Client & AsyncDisposable> {
    const [ours, theirs] = connectedPair();
    serveSsh(
      theirs,
      { id: "s1", user: "somebody" },
      {
        init,
        hostKey: privateKey,
        sandboxName: "demo",
        workdir: directory,
        environment: { PATH: process.env["PATH"] ?? "", BASE: "given" },
        onStarted: () => () => {},
        audit: { ssh: (event) => void events.push(event) },
        forward: async (stream, { host, port }) => {
          forwarded.push({ stream, host, port });
          stream.end(`${host}:${port}`);
          await new Promise((resolve) => stream.resume().once("close", resolve));
        },
      },
    );
    const client = new ssh2.Client();
    const close = async () => {
      client.end();
      await new Promise<void>((resolve) => client.once("close", () => resolve()));
    };
    return new Promise((resolve, reject) => {
      client.once("ready", () => resolve(Object.assign(client, { [Symbol.asyncDispose]: close })));
      client.once("error", reject);
      client.connect({
        sock: ours,
        username: "sandbox",
        authHandler: ["none"],
        hostVerifier: (key: Buffer) => publicKey.endsWith(key.toString("base64")),
        ...options,
      });
    });
  }

  const exec = (client: Client, command: string, options = {}) =>
    new Promise<ClientChannel>((resolve, reject) => {
      client.exec(command, options, (error, channel) => (error ? reject(error) : resolve(channel)));
    });
  const run = async (client: Client, command: string, options = {}) => ended(await exec(client, command, options));

  it("runs commands with both outputs, variables and exit codes", async () => {
    await using client = await connect();
    const script = 'echo "$BASE $WORD"; echo oops >&2; exit 7';
    const done = await run(client, script, { env: { WORD: "said", "NO-NAME": "x" } });
    assert.deepEqual(done, { stdout: "given said\n", stderr: "oops\n", code: 7, signal: undefined });
  });

  it("tells of a program's end by a signal", async () => {
    await using client = await connect();
    assert.deepEqual((await run(client, "kill -TERM $$")).signal, "SIGTERM");
    const channel = await exec(client, "exec sleep 60");
    channel.signal("KILL");
    assert.equal((await ended(channel)).signal, "SIGKILL");
  });

  it("loses and doubles nothing of two outputs that are far larger than the client's window", async () => {
    await using client = await connect();
    const lines = 400_000;
    const script = `seq ${lines} & seq ${lines} >&2; wait`;
    const { stdout, stderr } = await run(client, script);
    const wanted = Array.from({ length: lines }, (_, at) => `${at + 1}\n`).join("");
    assert.ok(stdout === wanted, `${stdout.length} bytes of output`);
    assert.ok(stderr === wanted, `${stderr.length} bytes of errors`);
  });

  it("gives a terminal of the size asked for, and follows the window", async () => {
    await using client = await connect();
    const channel = await exec(client, "stty size; echo $TERM; read -r line; stty size", {
      pty: { rows: 10, cols: 40, term: "vt100" },
    });
    channel.once("data", () => {
      channel.setWindow(12, 50, 0, 0);
      channel.write("go\n");
    });
    // What is typed is echoed as soon as it comes, be it between two lines of output.
    const lines = (await ended(channel)).stdout.split("\r\n").filter((line) => line !== "go");
    assert.deepEqual(lines, ["10 40", "vt100", "12 50", ""]);
  });

  it("ends a command whose client goes", async () => {
    const marker = join(directory, "hung-up");
    const client = await connect();
    await exec(client, `trap 'touch ${marker}; exit' HUP; echo; while :; do sleep 0.05; done`);
    const [channel] = [await exec(client, `echo ready; cat`)];
    await new Promise((resolve) => channel.once("data", resolve));
    client.end();
    await using other = await connect();
    assert.equal(
      (await run(other, `for i in $(seq 100); do [ -e ${marker} ] && exit 0; sleep 0.05; done; exit 1`)).code,
      0,
    );
  });

  it("takes any name for the one user that there is", async () => {
    await using client = await connect({ username: "root" });
    assert.equal((await run(client, "true")).code, 0);
  });

  it("gives a login shell where the published CLI asks for the sandbox's main process", async () => {
    await using client = await connect();
    const channel = await new Promise<ClientChannel>((resolve, reject) =>
      client.subsys("openshell-main", (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    channel.end("echo $0 has read this; exit 3\n");
    const { stdout, code } = await ended(channel);
    assert.match(stdout, /bash has read this/);
    assert.equal(code, 3);
  });

  it("lets nobody in with a key or a password", async () => {
    await assert.rejects(connect({ authHandler: ["password"], password: "sandbox" }), /authentication methods failed/);
    assert.deepEqual(
      events.filter(({ activity }) => activity === "refuse").map(({ why }) => why),
      ["the method password"],
    );
  });

  it("refuses to use the client's agent", async () => {
    await using client = await connect({ agent: "/nowhere", authHandler: ["none"] });
    await assert.rejects(exec(client, "true", { agentForward: true }), /Unable to request agent forwarding/);
    assert.equal(events.at(-1)?.what, "agent forwarding");
  });

  it("connects to what listens inside, and to nothing where nobody does", async () => {
    const server = createServer((socket) => socket.end("from inside"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await using client = await connect();
    const forward = (host: string, to: number) =>
      new Promise<ClientChannel>((resolve, reject) => {
        client.forwardOut("127.0.0.1", 1, host, to, (error, channel) => (error ? reject(error) : resolve(channel)));
      });
    for (const host of ["127.0.0.1", "localhost", "demo"]) {
      assert.equal(await text(await forward(host, port)), "from inside");
    }
    server.close();
    await assert.rejects(forward("localhost", 1), /Channel open failure/);
  });

  it("leaves connections to anywhere else to the decision path", async () => {
    await using client = await connect();
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.forwardOut("127.0.0.1", 1, "API.example", 443, (error, it) => (error ? reject(error) : resolve(it)));
    });
    assert.equal(await text(channel), "API.example:443");
    assert.deepEqual(
      forwarded.map(({ host, port }) => [host, port]),
      [["API.example", 443]],
    );
  });

  it("listens inside for the client, until it asks no more", async () => {
    await using client = await connect();
    client.on("tcp connection", (_info, accept) => accept().end("from the client"));
    const port = await new Promise<number>((resolve, reject) => {
      client.forwardIn("localhost", 0, (error, chosen) => (error ? reject(error) : resolve(chosen)));
    });
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`;
    assert.equal((await run(client, ask)).stdout, "from the client");
    await new Promise<void>((resolve, reject) => {
      client.unforwardIn("localhost", port, (error) => (error ? reject(error) : resolve()));
    });
    assert.notEqual((await run(client, ask)).code, 0);
  });

  it("has many channels on one connection, and a bound on them", async () => {
    await using client = await connect();
    const running = await Promise.all(Array.from({ length: 40 }, (_, at) => run(client, `echo ${at}`)));
    assert.deepEqual(
      running.map(({ stdout }) => Number(stdout)),
      Array.from({ length: 40 }, (_, at) => at),
    );
    const open = Array.from({ length: 70 }, () => exec(client, "sleep 60"));
    const outcomes = await Promise.allSettled(open);
    assert.ok(outcomes.some(({ status }) => status === "rejected"));
    assert.ok(outcomes.filter(({ status }) => status === "fulfilled").length >= 20);
    for (const outcome of outcomes) if (outcome.status === "fulfilled") outcome.value.close();
  });
});
