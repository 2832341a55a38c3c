import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { SandboxPhase } from "../../../gen/openshell/v1/sandbox_pb.ts";
import type { StoredObject } from "../../test-support/kubernetes/api-double.ts";
import { type NodeDouble, type NodeDoubleOptions, startNodeDouble } from "../../test-support/kubernetes/node-double.ts";
import { startTestGateway, type TestGateway } from "../../test-support/test-gateway.ts";
import { type KubernetesSettings, readKubernetesFile } from "./kubernetes-file.ts";

/** Free at this moment, on loopback. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe("sandboxes in a cluster", () => {
  let directory: string;
  let world: { readonly node: NodeDouble; readonly gateway: TestGateway } | undefined;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-kubernetes-"));
  });
  after(() => rmSync(directory, { recursive: true }));
  afterEach(async () => {
    await world?.gateway[Symbol.asyncDispose]();
    const left = () => ["Pod", "Secret", "PersistentVolumeClaim"].flatMap((kind) => world?.node.api.all(kind) ?? []);
    await until(() => left().length === 0);
    await world?.node[Symbol.asyncDispose]();
    world = undefined;
  });

  async function settingsFor({ api }: NodeDouble, more: string): Promise<KubernetesSettings> {
    const port = await freePort();
    const user = { name: "gateway", user: { token: api.token } };
    const cluster = {
      server: api.server.href,
      "certificate-authority-data": Buffer.from(api.authority).toString("base64"),
    };
    const kubeconfig = {
      "current-context": "here",
      contexts: [{ name: "here", context: { cluster: "here", user: "gateway" } }],
      clusters: [{ name: "here", cluster }],
      users: [user],
    };
    writeFileSync(join(directory, "kubeconfig"), JSON.stringify(kubeconfig));
    const file = `namespace: sandboxes\ngateway: 127.0.0.1:${port}\nlisten: 127.0.0.1:${port}\nruntime_image: openshell:1\nkubeconfig: kubeconfig\n`;
    writeFileSync(join(directory, "kubernetes.yaml"), file + more);
    const settings = readKubernetesFile(directory);
    assert.ok(settings);
    return settings;
  }

  async function start(more = "", options: NodeDoubleOptions = {}) {
    const node = await startNodeDouble(options);
    const gateway = await startTestGateway({ kubernetes: await settingsFor(node, more) });
    world = { node, gateway };
    const pods = () => node.api.all("Pod");
    const create = (name: string, image = "debian:12") =>
      gateway.client.createSandbox({ name, spec: { template: { image } } });
    const output = async (sandboxId: string, ...command: string[]) => {
      let text = "";
      for await (const { payload } of gateway.client.execSandbox({ sandboxId, command })) {
        if (payload.case === "stdout") text += Buffer.from(payload.value.data).toString();
      }
      return text;
    };
    return { node, gateway, pods, create, output };
  }

  const until = async (holds: () => boolean | Promise<boolean>) => {
    for (const deadline = Date.now() + 20_000; !(await holds()); ) {
      assert.ok(Date.now() < deadline, "it did not come to that");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it("are pods, whose supervisors come for their orders; when they are deleted nothing is left", async () => {
    const { node, gateway, pods, create, output } = await start("storage: { size: 1Gi }\n");
    await create("clustered");
    assert.equal(await output("clustered", "echo", "from a pod"), "from a pod\n");
    assert.equal(pods().length, 1);
    const { sandbox } = await gateway.client.getSandbox({ name: "clustered" });
    assert.equal(sandbox?.status?.phase, SandboxPhase.READY);
    await gateway.client.stopSandbox({ name: "clustered" });
    assert.equal(pods().length, 0, "a stopped sandbox has no pod");
    assert.equal(node.api.all("PersistentVolumeClaim").length, 1, "but keeps its files");
    await gateway.client.startSandbox({ name: "clustered" });
    assert.equal(await output("clustered", "echo", "again"), "again\n");
    await gateway.client.deleteSandbox({ name: "clustered" });
    for (const kind of ["Pod", "Secret", "PersistentVolumeClaim"]) assert.deepEqual(node.api.all(kind), [], kind);
  });

  it("are not started where their network can't be guarded", async () => {
    const why = "nft ended with 1: netlink: Error: Could not process rule: Operation not permitted";
    const state = { terminated: { exitCode: 1, message: why } };
    const { pods, create } = await start("", {
      fate: () => ({ phase: "Failed", initContainerStatuses: [{ name: "setup", state }] }),
    });
    await assert.rejects(create("open"), /the pod's network can't be guarded: nft ended with 1: netlink/);
    assert.equal(pods().length, 0);
  });

  it("are not started where a cluster changes what was asked for", async () => {
    const changes: Readonly<Record<string, (spec: Record<string, unknown>) => object>> = {
      "no user namespace of their own": ({ hostUsers: _, ...spec }) => spec,
      "it added containers": (spec) => ({
        ...spec,
        containers: [...(spec["containers"] as object[]), { name: "mesh", image: "mesh" }],
      }),
      "it changed what the agent's container is": (spec) => ({
        ...spec,
        containers: (spec["containers"] as { name: string; securityContext: object }[]).map((container) =>
          container.name === "agent"
            ? {
                ...container,
                securityContext: { ...container.securityContext, capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] } },
              }
            : container,
        ),
      }),
    };
    let change: (spec: Record<string, unknown>) => object = (spec) => spec;
    const mutate = (object: StoredObject) =>
      object.kind === "Pod" ? ({ ...object, spec: change({ ...object.spec }) } as StoredObject) : object;
    const { pods, create } = await start("", { mutate });
    for (const [says, made] of Object.entries(changes)) {
      change = made;
      await assert.rejects(create("changed"), new RegExp(says));
      assert.equal(pods().length, 0, says);
    }
  });

  it("come out of a pool of ready pods, which is filled up again", async () => {
    const { gateway, pods, create, output } = await start("pool: { size: 1, image: debian:12 }\n");
    await until(() => pods().length === 1);
    const [ready] = pods();
    await create("quick");
    assert.equal(await output("quick", "echo", "at once"), "at once\n");
    await until(() => pods().length === 2);
    assert.ok(pods().some(({ metadata }) => metadata.uid === ready?.metadata.uid));
    await create("other", "alpine:3");
    assert.equal(await output("other", "echo", "made for it"), "made for it\n");
    const images = pods().map(({ spec = {} }) => (spec["containers"] as { image: string }[])[1]?.image);
    assert.deepEqual(images.sort(), ["alpine:3", "debian:12", "debian:12"]);
    await gateway.restart();
    await until(() => pods().filter(({ metadata }) => metadata.deletionTimestamp === undefined).length === 3);
    assert.equal(await output("quick", "echo", "still there"), "still there\n");
  });

  it("are brought back in another pod when theirs has failed", async () => {
    const { node, pods, create, output } = await start();
    await create("steady");
    await output("steady", "true");
    const [first] = pods();
    node.killSupervisor(first?.metadata.name ?? "");
    await until(() =>
      pods().some(({ metadata }) => metadata.uid !== first?.metadata.uid && metadata.deletionTimestamp === undefined),
    );
    assert.equal(await output("steady", "echo", "back"), "back\n");
  });

  it("need an image", async () => {
    const { gateway } = await start();
    await assert.rejects(gateway.client.createSandbox({ name: "bare" }), /made from an image: use --from/);
  });
});
