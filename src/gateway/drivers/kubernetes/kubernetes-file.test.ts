import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readKubeconfig } from "./cluster-access.ts";
import { nodeSelectorOf } from "./driver-config.ts";
import { readKubernetesFile } from "./kubernetes-file.ts";

describe("a cluster's settings", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-kubernetes-"));
  });
  after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const read = (yaml: string) => {
    write("kubernetes.yaml", yaml);
    return readKubernetesFile(directory);
  };
  const least = "namespace: sandboxes\ngateway: openshell.tools.svc:17671\nruntime_image: registry/openshell:1\n";

  it("are none where there is no file, and few where it says little", () => {
    assert.equal(readKubernetesFile(join(directory, "none")), undefined);
    const settings = read(least);
    assert.deepEqual(settings?.gateway, { host: "openshell.tools.svc", port: 17671 });
    assert.deepEqual(settings?.listen, { host: "::", port: 17671 });
    assert.equal(settings?.userNamespaces, true);
    assert.equal(settings?.storage, undefined);
  });

  it("are refused with the line of what is wrong", () => {
    assert.throws(() => read("namespace: sandboxes\n"), /`gateway` is missing/);
    assert.throws(() => read(least.replace("sandboxes", "a/../b")), /kubernetes\.yaml:1:12: .*no namespace's name/);
    assert.throws(() => read(least.replace(":17671", "")), /must be HOST:PORT/);
    assert.throws(() => read(`${least}privileged: true\n`), /privileged/);
    assert.throws(() => read(`${least}agent_user: 0\n`), /agent_user/);
  });

  it("reach the cluster by a kubeconfig that needs no other program, and never without TLS", () => {
    const kubeconfig = (server: string, user: object) =>
      write(
        "kubeconfig",
        JSON.stringify({
          "current-context": "here",
          contexts: [{ name: "here", context: { cluster: "c", user: "u" } }],
          clusters: [{ name: "c", cluster: { server } }],
          users: [{ name: "u", user }],
        }),
      );
    write("token", "of the moment\n");
    assert.equal(readKubeconfig(kubeconfig("https://c:6443", { tokenFile: "token" })).token?.(), "of the moment");
    assert.throws(() => readKubeconfig(kubeconfig("https://c", { exec: { command: "x" } })), /logs in by `exec`/);
    assert.throws(() => readKubeconfig(kubeconfig("http://c:8080", { token: "t" })), /must be an https/);
  });

  it("leave it to a client to say on which nodes its sandbox runs, and nothing else", () => {
    assert.deepEqual(nodeSelectorOf({ kubernetes: { node_selector: { disk: "ssd" } } }), { disk: "ssd" });
    assert.deepEqual(nodeSelectorOf(undefined), {});
    assert.throws(() => nodeSelectorOf({ kubernetes: { host_network: true } }), /host_network/);
    assert.throws(() => nodeSelectorOf({ docker: {} }), /docker/);
  });
});
