/**
 * A gateway that is stopped or restarted in order, while much is under way: what it has acknowledged is there, what it refuses
 * ends with an error that says so, and what belongs to running sandboxes goes on with the next gateway.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import type { Channel } from "../../src/cli/api/channel.ts";
import { createSandbox as createSandboxMethod } from "../../src/cli/api/methods.ts";
import { createProvider } from "../../src/cli/api/provider-methods.ts";
import { RpcError } from "../../src/cli/api/rpc-error.ts";
import { openApi } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { install, type Running } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const lines = 400;
const counted = Array.from({ length: lines }, (_, at) => `${at + 1}\n`).join("");
const counter = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo $i; sleep 0.01; done`;
const workspace = "default";
const writers = 8;
/** Long enough to be under way when the gateway goes. */
const uploadBytes = 96 * 2 ** 20;

it("a gateway that is restarted, and one that is stopped, under load loses nothing", async (test) => {
  await using installation = install();
  await createSandbox(installation, "busy", "network_policies: {}\n");
  const done = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await installation.run(args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const exec = installation.start(["sandbox", "exec", "-n", "busy", "--", "sh", "-c", counter]);
  const watch = installation.start(["sandbox", "list", "--watch", "--selector", "kind=late", "-o", "json"]);
  const seen = linesOf(watch);
  const [file, digest] = randomFile(join(installation.home, "large"));
  await new Promise<void>((resolve) => exec.stdout.once("data", () => resolve()));
  const upload = installation.start(["sandbox", "upload", "busy", file, "large"], { timeout: 200_000 });

  const acknowledged = { providers: new Set<string>(), sandboxes: new Set<string>() };
  const ends: RpcError[] = [];
  for (const [round, command] of ["restart", "stop"].entries()) {
    using api = await openApi(installation);
    const writing = Array.from({ length: writers }, (_, at) =>
      writeUntilRefused(api, `r${round}-w${at}`, acknowledged),
    );
    const before = acknowledged.providers.size;
    await eventually(() =>
      assert.ok(acknowledged.providers.size >= before + 2 * writers, "too little is acknowledged"),
    );
    await done("gateway", command);
    ends.push(...(await Promise.all(writing)));
  }
  await done("gateway", "start");
  test.diagnostic(`${acknowledged.providers.size} providers, ${acknowledged.sandboxes.size} sandboxes acknowledged`);
  test.diagnostic(`ends: ${[...new Set(ends.map(({ code, message }) => `${code}: ${message}`))].join(" | ")}`);
  for (const { code } of ends) assert.ok(["unavailable", "canceled"].includes(code), code);

  const providers = new Set((await done("provider", "list", "--names", "--limit", "1000")).split("\n"));
  assert.deepEqual(
    [...acknowledged.providers].filter((name) => !providers.has(name)),
    [],
  );
  for (const name of acknowledged.sandboxes) await done("sandbox", "wait", name);
  const { code, stdout, stderr } = await exec.finished;
  assert.equal(stdout, counted, stderr);
  assert.equal(code, 0);
  const uploaded = await upload.finished;
  assert.equal(uploaded.code, 0, uploaded.stderr);
  assert.equal((await done("sandbox", "exec", "-n", "busy", "--", "sha256sum", "large")).split(" ")[0], digest);
  await done("sandbox", "create", "--name", "late", "--label", "kind=late");
  await eventually(() =>
    assert.ok(
      seen.some((line) => JSON.parse(line).phase === "Ready"),
      "the watch tells nothing",
    ),
  );
  watch.kill("SIGINT");
  await watch.finished;
});

interface Acknowledged {
  readonly providers: Set<string>;
  readonly sandboxes: Set<string>;
}

/** Makes providers, and a sandbox at first, until the gateway refuses. @returns with what it did */
async function writeUntilRefused(
  api: Channel,
  prefix: string,
  { providers, sandboxes }: Acknowledged,
): Promise<RpcError> {
  try {
    if (prefix.endsWith("w0")) {
      await api.unary(createSandboxMethod, { name: `${prefix}-sandbox`, workspace, spec: {} });
      sandboxes.add(`${prefix}-sandbox`);
    }
    for (let at = 0; ; at += 1) {
      const name = `${prefix}-${at}`;
      const provider = { metadata: { name }, type: "github", credentials: { GITHUB_TOKEN: "none" } };
      await api.unary(createProvider, { provider, workspace });
      providers.add(name);
    }
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
}

function linesOf({ stdout }: Running): string[] {
  const told: string[] = [];
  createInterface(stdout).on("line", (line) => told.push(line));
  return told;
}

function randomFile(path: string): [path: string, digest: string] {
  const contents = randomBytes(uploadBytes);
  writeFileSync(path, contents);
  return [path, createHash("sha256").update(contents).digest("hex")];
}
