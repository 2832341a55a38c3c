/**
 * A policy that the supervisor refuses. The gateway checks with the same code what it takes, so that none comes by
 * ordinary means; one of another version may know more than the supervisors that were running before it. What it would have
 * stored is put into its database while it is away.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { clone } from "@bufbuild/protobuf";
import { sqlitePolicies } from "../../src/gateway/store/sqlite/policies.ts";
import { SandboxPolicySchema } from "../../src/gen/openshell/sandbox/v1/sandbox_pb.ts";
import { startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";

const policyFor = (host: string) => `
network_policies:
  api:
    endpoints: [{ host: ${host}, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: any }]
`;

interface Revision {
  readonly version: number;
  readonly status: string;
  readonly load_error: string;
}

async function history(installation: Installation, name: string): Promise<readonly Revision[]> {
  const { code, stdout, stderr } = await installation.run(["policy", "history", name, "-o", "json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Ends the gateway, and its supervisors not. Any command starts it again. */
async function killGateway({ stateDirectory }: Installation): Promise<void> {
  const { pid } = JSON.parse(readFileSync(join(stateDirectory, "gateway.json"), "utf8"));
  process.kill(pid, "SIGKILL");
  const isThere = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A newer gateway's next revision, with a protocol that nobody here has heard of. */
async function storeNewerPolicy({ stateDirectory, events }: Installation): Promise<void> {
  const database = new DatabaseSync(join(stateDirectory, "state.db"));
  try {
    const policies = sqlitePolicies(database);
    const sandboxId = events()[0]?.device.uid ?? "";
    const current = await policies.effective(sandboxId);
    assert.ok(current);
    const policy = clone(SandboxPolicySchema, current.policy);
    for (const endpoint of policy.networkPolicies["api"]?.endpoints ?? []) endpoint.protocol = "telepathy";
    const provenance = { source: "set" };
    await policies.append(sandboxId, { policy, hash: "of a newer gateway", createdAtMs: Date.now(), provenance });
  } finally {
    database.close();
  }
}

describe("a policy revision that the supervisor can't load", () => {
  it("leaves the one before it in force, and says so; the next one is loaded", async () => {
    await using installation = install();
    await using _ = await startHttpServer({ host: "api.example.test" });
    const sandbox = await createSandbox(installation, "careful", policyFor("api.example.test"));
    const ask = "curl -s -o /dev/null -w '%{http_code}\n' https://api.example.test/";
    assert.equal((await sandbox.run(ask)).stdout, "200\n");
    await killGateway(installation);
    await storeNewerPolicy(installation);

    let newest: Revision | undefined;
    while (newest === undefined || newest.status === "pending") [newest] = await history(installation, "careful");
    assert.deepEqual([newest.version, newest.status], [2, "failed"]);
    assert.match(newest.load_error, /api.*telepathy/);
    const refused = installation.events().filter(({ class_uid, status }) => class_uid === 5019 && status === "Failure");
    assert.equal(refused.length, 1, "one event says that the change of the configuration failed");
    assert.match(JSON.stringify(refused), /telepathy/);

    assert.equal((await sandbox.run(ask)).stdout, "200\n");
    const shown = await installation.run(["policy", "get", "careful"]);
    assert.match(shown.stdout, /Revision: +2\nIn force: +1\nStatus: +failed\n/, shown.stderr);
    const changed = await sandbox.setPolicy(policyFor("other.example.test"));
    assert.equal(changed.code, 0, changed.stderr);
    assert.match((await sandbox.run(ask)).stdout, /^(403|000)\n$/);
  });
});
