/**
 * Two gateways on one PostgreSQL behind a load balancer, with a sandbox in a pod, while one after the other goes: what was
 * acknowledged is there, and what runs through them goes on.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import pg from "pg";
import { type PostgresServer, startPostgres } from "../../src/gateway/store/test-support/postgres-server.ts";
import { OpenShell } from "../../src/gen/openshell/v1/openshell_pb.ts";
import { readMtlsBundle } from "../../src/locations/gateway-entry.ts";
import { newKey } from "../../src/secrets/key-file.ts";
import { baseImage } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import { type FrontServer, startServer } from "../support/front-servers.ts";
import { type Installation, install, type Running } from "../support/installation.ts";
import { clusterEnvironment, configureCluster, loadRuntimeImage } from "../support/kubernetes/cluster-configuration.ts";
import { type EngineNode, NODE_ADDRESS, startEngineNode } from "../support/kubernetes/engine-node.ts";
import { world } from "../support/world.ts";

/** Where clients and pods go: the load balancer's. */
const PORTS = { api: 17_670, supervisors: 17_671 };
const ADDRESS = "127.0.0.1";

interface Replica {
  readonly installation: Installation;
  readonly ports: typeof PORTS;
  process: Running | undefined;
  /** What it has logged since it was started. */
  log: string;
  hasEnded: boolean;
}

describe("replicas of a gateway", { skip: world().driver === "docker" ? false : "its node is Docker's" }, () => {
  let user: Installation;
  let node: EngineNode;
  let postgres: PostgresServer;
  let url: string;
  let balancer: FrontServer;
  let replicas: readonly [Replica, Replica];
  let client: Client<typeof OpenShell>;
  let isRegistered = false;
  const key = newKey().toString("base64");
  const openshell = (...args: readonly string[]) => user.run(args, { env: clusterEnvironment });

  before(async () => {
    user = install();
    await loadRuntimeImage(user);
    node = await startEngineNode();
    postgres = await startPostgres();
    url = await postgres.createDatabase();
    replicas = [prepare({ api: 17_680, supervisors: 17_681 }), prepare({ api: 17_690, supervisors: 17_691 })];
    balancer = await startServer(loadBalancer, { own: PORTS.api, origin: 0 });
    for (const replica of replicas) launch(replica);
    await eventually(leader);
    await register();
    isRegistered = true;
    const policy = join(user.home, "policy.yaml");
    writeFileSync(policy, "version: 1\n");
    const created = await openshell("sandbox", "create", "--name", "pod", "--from", baseImage, "--policy", policy);
    assert.equal(created.code, 0, created.stderr);
  });
  after(async () => {
    if (isRegistered) await openshell("sandbox", "delete", "pod");
    for (const { process } of replicas) process?.kill("SIGKILL");
    await Promise.all(replicas.map(({ process }) => process?.finished));
    await balancer[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
    for (const installation of [user, ...replicas.map((each) => each.installation)]) {
      await installation[Symbol.asyncDispose]();
    }
  });

  function prepare(ports: typeof PORTS): Replica {
    const installation = install();
    const listen = `${ADDRESS}:${ports.supervisors}`;
    const gateway = `${NODE_ADDRESS}:${PORTS.supervisors}`;
    const directory = configureCluster(installation, node, { gateway, listen });
    writeFileSync(join(directory, "secrets.key"), `${key}\n`, { mode: 0o600 });
    writeFileSync(join(directory, "database.yaml"), `url: ${url}\nreplicas: true\nsecrets_key_file: secrets.key\n`);
    return { installation, ports, process: undefined, log: "", hasEnded: true };
  }

  function launch(replica: Replica): void {
    const program = join(world().packageDirectory, "dist", "gateway.cjs");
    const running = replica.installation.startProgram(
      [process.execPath, program, "--foreground", "--driver=kubernetes", `--port=${replica.ports.api}`],
      { env: { ...clusterEnvironment, OPENSHELL_REPLICA_ADDRESS: ADDRESS }, timeout: 300_000 },
    );
    Object.assign(replica, { process: running, log: "", hasEnded: false });
    running.stderr.on("data", (chunk: Buffer) => {
      replica.log += chunk.toString();
    });
    void running.finished.then(() => {
      replica.hasEnded = true;
    });
  }

  const leads = ({ log, hasEnded }: Replica) => !hasEnded && /gateway \S+ listens on/.test(log);
  /** What they have said is told where none does. */
  const leader = () => {
    const found = replicas.find(leads);
    assert.ok(found, replicas.map(({ log }) => log).join("\n"));
    return found;
  };
  const other = (replica: Replica) => (replica === replicas[0] ? replicas[1] : replicas[0]);

  /** As a user does with the bundle that an administrator has given him. */
  async function register(): Promise<void> {
    const [from, to] = [leader().installation, user].map(({ home }) => join(home, ".config", "openshell", "gateways"));
    cpSync(join(from ?? "", "openshell", "mtls"), join(to ?? "", "team", "mtls"), { recursive: true });
    const baseUrl = `https://${ADDRESS}:${PORTS.api}`;
    const added = await openshell("gateway", "add", baseUrl, "--name", "team");
    assert.equal(added.code, 0, added.stderr);
    const bundle = readMtlsBundle(join(to ?? "", ".."), "team");
    assert.ok(bundle);
    const nodeOptions = { ca: bundle.ca, cert: bundle.certificate, key: bundle.key };
    client = createClient(OpenShell, createGrpcTransport({ baseUrl, nodeOptions }));
  }

  /** Makes providers one after the other until it is stopped. Gives those that were acknowledged. */
  function changeUntil({ signal }: { readonly signal: AbortSignal }, prefix: string): Promise<string[]> {
    const acknowledged: string[] = [];
    const change = async () => {
      for (let number = 0; !signal.aborted; number++) {
        const name = `${prefix}-${number}`;
        const provider = { metadata: { name }, type: "github", credentials: { GITHUB_TOKEN: `ghp_${name}` } };
        await client.createProvider({ provider }, { timeoutMs: 30_000 }).then(
          () => acknowledged.push(name),
          // Nobody knows whether that one was stored; the next one finds a way.
          () => undefined,
        );
      }
      return acknowledged;
    };
    return change();
  }

  const providers = async () => {
    const found = new Set<string>();
    for (let offset = 0; ; offset = found.size) {
      const page = await client.listProviders({ limit: 200, offset });
      for (const { metadata } of page.providers) found.add(metadata?.name ?? "");
      if (page.providers.length < 200) return found;
    }
  };

  /** A command with output for a while, and one with much input; gives what is wrong with them once they have ended. */
  function runThrough(): Promise<void> {
    const count = user.start(
      ["sandbox", "exec", "-n", "pod", "--", "sh", "-c", "for i in $(seq 300); do echo $i; sleep 0.03; done"],
      {
        env: clusterEnvironment,
      },
    );
    const input = randomBytes(8 * 1024 * 1024);
    const digest = user.start(["sandbox", "exec", "-n", "pod", "--", "sha256sum"], { env: clusterEnvironment });
    feed(digest, input);
    const expected = Array.from({ length: 300 }, (_, index) => `${index + 1}\n`).join("");
    return Promise.all([count.finished, digest.finished]).then(([counted, summed]) => {
      assert.deepEqual({ code: counted.code, stdout: counted.stdout }, { code: 0, stdout: expected }, counted.stderr);
      assert.equal(summed.stdout, `${createHash("sha256").update(input).digest("hex")}  -\n`, summed.stderr);
    });
  }

  /** Piece by piece, so that it is under way when something happens. */
  function feed({ stdin }: Running, input: Buffer): void {
    const PIECE = 128 * 1024;
    let at = 0;
    const next = () => {
      stdin.write(input.subarray(at, at + PIECE));
      at += PIECE;
      if (at < input.length) setTimeout(next, 100);
      else stdin.end();
    };
    next();
  }

  it("answer alike, though one of them leads", async () => {
    assert.equal(replicas.filter(leads).length, 1);
    assert.match(other(leader()).log, /replica 127\.0\.0\.1 leads/);
    // The balancer takes turns.
    for (let turn = 0; turn < 4; turn++) {
      const listed = await openshell("sandbox", "list");
      assert.match(listed.stdout, /^pod\b/m, listed.stderr);
    }
  });

  it("lose nothing that was acknowledged when the leader is killed, and commands go on", async () => {
    const killed = leader();
    const loading = new AbortController();
    const changes = ["a", "b", "c", "d"].map((prefix) => changeUntil(loading, prefix));
    const running = runThrough();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    killed.process?.kill("SIGKILL");
    await eventually(() => assert.ok(leads(other(killed))));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    loading.abort();
    const acknowledged = (await Promise.all(changes)).flat();
    await running;
    const kept = await providers();
    assert.deepEqual(
      acknowledged.filter((name) => !kept.has(name)),
      [],
    );
    for (const prefix of ["a", "b", "c", "d"])
      assert.ok(
        acknowledged.some((name) => name.startsWith(prefix)),
        prefix,
      );
    assert.equal((await openshell("sandbox", "exec", "-n", "pod", "--", "echo", "still here")).stdout, "still here\n");
  });

  it("take over from a leader that is frozen, which ends when it thaws", async () => {
    const frozen = leader();
    const standby = other(frozen);
    launch(standby);
    await eventually(() => assert.match(standby.log, /replica 127\.0\.0\.1 leads/));
    const running = runThrough();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    frozen.process?.kill("SIGSTOP");
    await expireTerm(url);
    await eventually(() => assert.ok(leads(standby)));
    frozen.process?.kill("SIGCONT");
    assert.equal((await frozen.process?.finished)?.code, 1);
    assert.match(frozen.log, /another gateway uses this database by now: this one ends/);
    await running;
    assert.equal((await openshell("sandbox", "exec", "-n", "pod", "--", "echo", "still here")).stdout, "still here\n");
  });
});

/** As if the leader had been frozen for long. */
async function expireTerm(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("UPDATE leadership SET renewed_at = renewed_at - interval '1 hour'");
  await client.end();
}

/** As a service of a cluster does it: connections in turns, to whoever can be connected to. */
const loadBalancer = {
  package: "haproxy",
  configuration: () => `
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  option redispatch 1
  retries 5
listen api
  bind ${ADDRESS}:${PORTS.api}
  default-server check inter 200ms fall 1 rise 1
  server first ${ADDRESS}:17680
  server second ${ADDRESS}:17690
listen supervisors
  bind ${NODE_ADDRESS}:${PORTS.supervisors}
  default-server check inter 200ms fall 1 rise 1
  server first ${ADDRESS}:17681
  server second ${ADDRESS}:17691
`,
  command: (file: string) => ["haproxy", "-db", "-q", "-f", file] as const,
};
