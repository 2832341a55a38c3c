/**
 * A gateway that is killed at random moments and started again, ten times, under all that leads into a sandbox at once: not a line is lost,
 * doubled or out of order, and nobody is asked anything. OPENSHELL_TEST_COPY_MIB makes the copied file larger than 64 MiB.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, createReadStream, openSync, writeFileSync, writeSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { eachUser } from "../support/as-each-user.ts";
import { Chance } from "../support/chance.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const policy = `
filesystem_policy: { include_workdir: true, read_only: [/usr, /lib, /lib64, /bin, /etc], read_write: [/tmp] }
`;

const kills = 10;
const lines = 1_000;
const counted = Array.from({ length: lines }, (_, at) => `${at + 1}\n`).join("");
const counter = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo $i; sleep 0.01; done`;
/** The same for whoever connects. */
const counterServer = `require("net").createServer((socket) => {
  let i = 0;
  const timer = setInterval(() => (++i < ${lines} ? socket.write(i + "\\n") : (clearInterval(timer), socket.end(i + "\\n"))), 10);
}).listen(7001, "127.0.0.1", () => console.log("up"))`;

const mebibytes = Number(process.env["OPENSHELL_TEST_COPY_MIB"] ?? 64);
/** A counter that sleeps a thousand times takes long on a busy machine, and a large file does, too. */
const patient = { timeout: 250_000 };

/** So that the copy is under way for as long as the counters are. */
const kilobitsPerSecond = Math.ceil((mebibytes * 8 * 1024) / 10);

for (const [who, options] of eachUser) {
  it(`${kills} deaths of the gateway of ${who} are not noticed by ssh, exec, scp and a forwarded port`, async (test) => {
    const chance = new Chance();
    test.diagnostic(`OPENSHELL_CHAOS_SEED=${chance.seed}`);
    await using installation = install(options);
    const { name } = await createSandbox(installation, "steady", policy);
    const config = join(installation.home, "ssh-config");
    writeFileSync(config, (await installation.run(["sandbox", "ssh-config", name])).stdout);
    const over = (program: string, ...args: string[]) =>
      installation.runProgram([program, "-F", config, "-o", "BatchMode=yes", ...args], patient);
    const [file, digest] = writeRandomFile(join(installation.home, "sent"));
    const server = installation.start([
      "sandbox",
      "exec",
      "-n",
      name,
      "--",
      "/run/openshell/node",
      "-e",
      counterServer,
    ]);
    await new Promise<void>((resolve) => server.stdout.once("data", () => resolve()));
    const forward = await installation.run(["forward", "start", name, "7101:7001", "--background"]);
    assert.equal(forward.code, 0, forward.stderr);

    const all = Promise.all([
      installation.run(["sandbox", "exec", "-n", name, "--", "sh", "-c", counter], patient),
      over("ssh", `openshell-${name}`, counter),
      over("scp", "-l", String(kilobitsPerSecond), file, `openshell-${name}:copy`),
      text(connect(7101, "127.0.0.1")),
    ]);
    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(chance.below(1_000));
      await restartByForce(installation);
    }
    const [exec, ssh, scp, port] = await all;
    for (const { code, stdout, stderr } of [exec, ssh]) {
      assert.equal(stdout, counted, stderr);
      assert.equal(code, 0);
    }
    assert.equal(port, counted);
    assert.equal(scp.code, 0, scp.stderr);
    const copied = await installation.run(["sandbox", "exec", "-n", name, "--", "sha256sum", "copy"]);
    assert.equal(copied.stdout.split(" ")[0], await digest);

    server.kill("SIGTERM");
    await server.finished;
  });
}

async function restartByForce(installation: Installation): Promise<void> {
  process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
  const { code, stderr } = await installation.run(["gateway", "start"]);
  assert.equal(code, 0, stderr);
}

function writeRandomFile(path: string): [path: string, digest: Promise<string>] {
  const file = openSync(path, "w", 0o644);
  for (let at = 0; at < mebibytes; at += 1) writeSync(file, randomBytes(1024 * 1024));
  closeSync(file);
  const hash = createHash("sha256");
  return [path, pipeline(createReadStream(path), hash).then(() => hash.digest("hex"))];
}
