/**
 * The driver on a real cluster, by hand: OPENSHELL_TEST_CLUSTER is a folder with a kubernetes.yaml for it, whose `gateway`
 * is this machine as pods reach it, and OPENSHELL_TEST_CLUSTER_IMAGE an image with a shell and curl. See docs/kubernetes.md.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startTestGateway, type TestGateway } from "../../test-support/test-gateway.ts";
import { readKubernetesFile } from "./kubernetes-file.ts";

const { OPENSHELL_TEST_CLUSTER: cluster, OPENSHELL_TEST_CLUSTER_IMAGE: image = "debian:12" } = process.env;

describe("a sandbox in a real cluster", { skip: cluster ? false : "OPENSHELL_TEST_CLUSTER names none" }, () => {
  let gateway: TestGateway;
  before(async () => {
    const kubernetes = readKubernetesFile(cluster ?? "");
    assert.ok(kubernetes, `${cluster}: no kubernetes.yaml`);
    gateway = await startTestGateway({ kubernetes });
    await gateway.client.createSandbox({ name: "real", spec: { template: { image } } });
  });
  after(() => gateway[Symbol.asyncDispose]());

  async function inside(script: string): Promise<string> {
    let text = "";
    for await (const { payload } of gateway.client.execSandbox({ sandboxId: "real", command: ["sh", "-c", script] })) {
      if (payload.case === "stdout") text += Buffer.from(payload.value.data).toString();
    }
    return text;
  }

  it("has its network closed, as was tried from inside, and no capability", async () => {
    assert.equal(await inside("id -u"), "1000\n");
    const { sandbox } = await gateway.client.getSandbox({ name: "real" });
    const facts = new Map(sandbox?.status?.isolation.map(({ name, value }) => [name, value]));
    assert.match(facts.get("namespace.net") ?? "", /a connection out was tried, and captured/);
    assert.equal(facts.get("capabilities"), "none");
  });

  it("reaches nothing that no policy allows, and is told why", async () => {
    const refused = await inside("curl -sS -m 10 --noproxy '*' http://192.0.2.1/; curl -sS -m 10 http://192.0.2.1/");
    assert.equal(refused.match(/decide\.implicit_deny/g)?.length, 2, refused);
  });

  it("comes back after it was stopped", async () => {
    await gateway.client.stopSandbox({ name: "real" });
    await gateway.client.startSandbox({ name: "real" });
    assert.equal(await inside("echo again"), "again\n");
  });
});
