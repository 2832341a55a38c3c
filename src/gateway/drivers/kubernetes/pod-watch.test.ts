import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ApiDouble } from "../../test-support/kubernetes/api-double.ts";
import { KubernetesApi } from "./kubernetes-api.ts";
import type { Pod } from "./pod-state.ts";
import { PodWatch } from "./pod-watch.ts";

const agent = {
  name: "agent",
  image: "debian:12",
  securityContext: {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
};
const pod = (name: string, gateway = "mine") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { "openshell.ai/gateway": gateway } },
  spec: { containers: [agent] },
});

describe("the watch over the gateway's pods", () => {
  let double: ApiDouble;
  let api: KubernetesApi;
  let watch: PodWatch;
  const troubles: unknown[] = [];
  const patience = () => AbortSignal.timeout(20_000);
  const appears = (name: string) => watch.until(() => watch.get(name), patience());
  const phaseIs = (name: string, phase: string) =>
    watch.until(() => (watch.get(name)?.status?.phase === phase ? true : undefined), patience());
  const disappears = (name: string) =>
    watch.until(() => (watch.get(name) === undefined ? true : undefined), patience());

  beforeEach(async () => {
    double = await ApiDouble.start();
    const { server, authority } = double;
    api = new KubernetesApi({ server, authority, token: () => double.token }, "sandboxes");
    watch = new PodWatch(api, { labelSelector: "openshell.ai/gateway=mine" }, (error) => troubles.push(error));
    await api.create<Pod>("pods", pod("before"));
    await watch.start();
  });
  afterEach(async () => {
    watch.close();
    api.close();
    await double[Symbol.asyncDispose]();
  });

  it("knows what was there, and hears what comes, changes and goes; of other gateways' nothing", async () => {
    assert.deepEqual(
      watch.pods.map(({ metadata }) => metadata.name),
      ["before"],
    );
    await api.create("pods", pod("theirs", "another"));
    await api.create("pods", pod("after"));
    await appears("after");
    double.setStatus("after", { phase: "Running" });
    await phaseIs("after", "Running");
    double.removePod("before");
    await disappears("before");
    assert.deepEqual(
      watch.pods.map(({ metadata }) => metadata.name),
      ["after"],
    );
  });

  it("goes on from its place when a watch breaks off, and from a bookmark where nothing of its own has happened", async () => {
    await appears("before");
    double.bookmark();
    double.breakWatches();
    await api.create("pods", pod("meanwhile"));
    await appears("meanwhile");
  });

  it("lists anew when the API has forgotten its place, and misses nothing of what happened meanwhile", async () => {
    const end = double.forgetChanges.bind(double);
    double.removePod("before");
    await api.create("pods", pod("meanwhile"));
    end();
    await appears("meanwhile");
    await disappears("before");
    double.setStatus("meanwhile", { phase: "Failed" });
    await phaseIs("meanwhile", "Failed");
  });

  it("does not take the end of an earlier pod for the end of the one with its name", async () => {
    const earlier = watch.get("before") as Pod;
    const later = { ...earlier, metadata: { ...earlier.metadata, uid: "later" } };
    watch.learn(later);
    double.removePod("before");
    await api.create("pods", pod("mark"));
    await appears("mark");
    assert.equal(watch.get("before")?.metadata.uid, "later");
  });
});
