/** Whoever waits for a sandbox hears of its end, also from a gateway that was there for a moment only. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import { install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const policy = "filesystem_policy: { include_workdir: true, read_only: [/usr, /lib, /lib64, /bin, /etc] }\n";

async function waiting(installation: ReturnType<typeof install>, name: string) {
  await createSandbox(installation, name, policy);
  const exec = installation.start(["sandbox", "exec", "-n", name, "--", "sh", "-c", "echo up; sleep 1000"]);
  await new Promise<void>((resolve) => exec.stdout.once("data", () => resolve()));
  return exec;
}

it("a command whose sandbox is deleted by the next gateway, which is stopped right afterwards, ends", async () => {
  await using installation = install();
  const exec = await waiting(installation, "forgotten");
  process.kill(readRunningGateway(installation.stateDirectory)?.pid ?? 0, "SIGKILL");
  for (const args of [
    ["sandbox", "delete", "forgotten"],
    ["gateway", "stop"],
  ]) {
    assert.equal((await installation.run(args)).code, 0);
  }
  const { code, stderr } = await exec.finished;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /sandbox "forgotten" not found|is being deleted/);
});

it("a command whose gateway was stopped says so, and leaves when it is asked to", async () => {
  await using installation = install();
  const exec = await waiting(installation, "patient");
  assert.equal((await installation.run(["gateway", "stop"])).code, 0);
  await new Promise<void>((resolve) => exec.stderr.once("data", () => resolve()));
  exec.kill("SIGTERM");
  const { code, stderr } = await exec.finished;
  assert.equal(code, 130);
  assert.match(stderr, /^openshell: the gateway was stopped \(`openshell gateway start`\); the command goes on/);
});
