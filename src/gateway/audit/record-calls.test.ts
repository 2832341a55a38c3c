/** What users ask of a gateway is on record, with who, what and how it ended, and with nothing that they sent. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createClient } from "@connectrpc/connect";
import { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";
import { verifyChain } from "../../ocsf/chain.ts";
import type { ApiActivity } from "../../ocsf/classes/api-activity.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

describe("a gateway's own log", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  const lines = async (sandboxId = "") => {
    const { logs } = await gateway.client.getSandboxLogs({ sandboxId, lines: 1000, sources: ["gateway"] });
    return logs;
  };
  const messages = async (sandboxId = "") => (await lines(sandboxId)).map(({ message }) => message);

  it("tells who made, used and deleted a sandbox, and of no look at it", async () => {
    const { sandbox } = await gateway.client.createSandbox({
      name: "noted",
      spec: { environment: { KEY: "canary-of-the-environment" } },
    });
    const sandboxId = sandbox?.metadata?.id ?? "";
    await gateway.client.getSandbox({ name: "noted" });
    for await (const _ of gateway.client.execSandbox({ sandboxId, command: ["sh", "-c", "canary-of-the-command"] }));
    const about = await messages(sandboxId);
    assert.equal(about.length, 2, about.join("\n"));
    assert.match(about[0] ?? "", /^API:CREATE \[INFO\] ALLOWED \S+ CreateSandbox sandbox noted$/);
    assert.match(about[1] ?? "", /^API:OTHER \[INFO\] ALLOWED \S+ ExecSandbox sandbox [0-9a-f-]{36}$/);
    await gateway.client.deleteSandbox({ name: "noted" });
    assert.match((await messages()).at(-1) ?? "", /API:DELETE \[INFO\] ALLOWED \S+ DeleteSandbox sandbox noted$/);
    const events = (await lines()).map(({ fields }) => fields["ocsf"] ?? "");
    assert.doesNotMatch(events.join("\n"), /canary/);
    const event: ApiActivity = JSON.parse(events[0] ?? "");
    assert.equal(event.actor.idp?.name, "mtls");
    assert.match(JSON.stringify(event.src_endpoint), /127\.0\.0\.1/);
  });

  it("tells of what failed by its code, and not with words that repeat what was sent", async () => {
    await assert.rejects(gateway.client.deleteSandbox({ name: "absent" }));
    await assert.rejects(
      gateway.client.createProvider({
        provider: { metadata: { name: "mine" }, type: "no-such-type", credentials: { KEY: "canary-of-a-credential" } },
      }),
    );
    const [absent = "", provider = ""] = (await messages()).slice(-2);
    assert.match(absent, /^API:DELETE \[LOW\] ALLOWED \S+ DeleteSandbox sandbox absent \[NOT_FOUND\]$/);
    assert.match(provider, /^API:CREATE \[LOW\] ALLOWED \S+ CreateProvider provider mine \[NOT_FOUND\]$/);
    assert.doesNotMatch(
      JSON.stringify(await lines(), (_, value) => (typeof value === "bigint" ? `${value}` : value)),
      /canary/,
    );
  });

  it("tells of strangers that are turned away, and counts those that do not stop", async () => {
    const stranger = createClient(OpenShell, gateway.anonymous());
    for (let attempt = 0; attempt < 40; attempt += 1) await assert.rejects(stranger.listSandboxes({}));
    const refused = (await messages()).filter((message) => / DENIED - ListSandboxes \[UNAUTHENTICATED\]/.test(message));
    assert.equal(refused.length, 5);
    await gateway.restart();
    const all = await lines();
    assert.equal(all.filter(({ message }) => /ListSandboxes .*\[count:35\]$/.test(message)).length, 1);
  });

  it("is chained over restarts, and can be followed", async () => {
    const chain = (await lines()).map(({ fields }) => ({ line: fields["ocsf"] ?? "", place: "" }));
    assert.equal(verifyChain(chain).ok, true);
    const following = new AbortController();
    const request = { id: "", followLogs: true, logTailLines: 1 };
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { payload } of gateway.client.watchSandbox(request, { signal: following.signal })) {
        if (payload.case !== "log") continue;
        seen.push(payload.value.message);
        if (seen.length === 1) await gateway.client.createWorkspace({ name: "team-blue" });
        else following.abort();
      }
    });
    assert.equal(seen.length, 2);
    assert.match(seen[1] ?? "", /CreateWorkspace workspace team-blue$/);
  });
});
