/**
 * Sandboxes in a cluster: its API is a strict double, and its node runs the pods for real in the world's engine. What is of
 * the cluster itself (nodes, plugins, admission) is tried by hand: docs/kubernetes.md.
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { imageOnBase } from "../support/images.ts";
import { type Installation, install } from "../support/installation.ts";
import { clusterEnvironment, configureCluster, loadRuntimeImage } from "../support/kubernetes/cluster-configuration.ts";
import { type EngineNode, NODE_ADDRESS, startEngineNode } from "../support/kubernetes/engine-node.ts";
import { world } from "../support/world.ts";

const PORT = 17_671;
describe("a sandbox in a pod", { skip: world().driver === "docker" ? false : "its node is Docker's" }, () => {
  let installation: Installation;
  let node: EngineNode;
  const openshell = (...args: readonly string[]) => installation.run(args, { env: clusterEnvironment });
  const inside = async (script: string) =>
    (await openshell("sandbox", "exec", "-n", "pod", "--", "sh", "-c", script)).stdout;

  before(async () => {
    installation = install();
    await loadRuntimeImage(installation);
    node = await startEngineNode();
    const place = `${NODE_ADDRESS}:${PORT}`;
    configureCluster(installation, node, { gateway: place, listen: place });
    const hostile = await imageOnBase("hostile", {}, [
      "ENV LD_PRELOAD=/nowhere.so NODE_OPTIONS=--bad FROM_IMAGE=yes",
      "WORKDIR /srv",
    ]);
    const policy = join(installation.home, "pod.yaml");
    writeFileSync(
      policy,
      `version: 1\nnetwork_policies:\n  origin:\n    endpoints: [{ host: ${NODE_ADDRESS}, port: 8088, protocol: rest, access: read-only, allowed_ips: [${NODE_ADDRESS}/32] }]\n    binaries: [{ path: /usr/bin/curl }]\n`,
    );
    const created = await openshell("sandbox", "create", "--name", "pod", "--from", hostile, "--policy", policy);
    assert.equal(created.code, 0, created.stderr);
  });
  after(async () => {
    await openshell("sandbox", "delete", "pod");
    await installation[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });

  it("runs its image's programs as the agent's user, whatever the image says to loaders", async () => {
    assert.equal(await inside("id -u; pwd; echo $FROM_IMAGE"), "1000\n/srv\nyes\n");
  });

  it("reaches what its policy allows, by proxy and by capture, and nothing else", async () => {
    const origin = createServer((request, answer) => answer.end(`${request.method} answered\n`)).listen(
      8088,
      NODE_ADDRESS,
    );
    await once(origin, "listening");
    const url = `http://${NODE_ADDRESS}:8088/`;
    assert.equal(await inside(`curl -sS ${url}; curl -sS --noproxy '*' ${url}`), "GET answered\nGET answered\n");
    const refused = await inside(
      `for o in '-X DELETE ${url}' 'http://${NODE_ADDRESS}:${PORT}/' 'http://10.99.1.1:80/' 'http://169.254.169.254/'; do curl -s -o /dev/null -w '%{http_code} ' --noproxy '*' $o; done`,
    );
    assert.equal(refused, "403 403 403 403 ");
    origin.close();
  });

  it("sends no datagram out, and asks no name server but its own", async () => {
    const heard: string[] = [];
    const socket = createSocket("udp4", (message) => heard.push(message.toString())).bind(9999, NODE_ADDRESS);
    await once(socket, "listening");
    const said = await inside(`bash -c 'echo out > /dev/udp/${NODE_ADDRESS}/9999' 2>&1; getent hosts any.example.test`);
    assert.match(said, /not permitted/);
    assert.match(said, /^198\.1[89]\./m);
    assert.deepEqual(heard, []);
    socket.close();
  });

  it("writes the image for its cluster to no file that is there, or can't be", async () => {
    for (const [file, words] of [
      [join(installation.home, "pod.yaml"), /exists already/],
      [join(installation.home, "nowhere", "openshell.tar"), /can't be written: ENOENT/],
    ] as const) {
      const made = await openshell("gateway", "image", file);
      assert.equal(made.code, 1);
      assert.match(made.stderr, words);
      assert.doesNotMatch(made.stderr, /defect/);
    }
  });

  it("has no capability, and no power over the supervisor beside it", async () => {
    const status = await inside("grep -E '^(Cap|NoNewPrivs)' /proc/self/status");
    assert.equal(new Set(status.match(/Cap\w+:\s+(\w+)/g)?.map((line) => line.split(/\s+/)[1])).size, 1);
    assert.match(status, /CapBnd:\s+0{16}\n[\s\S]*NoNewPrivs:\s+1/);
    const others = await inside(
      "for p in /proc/[0-9]*; do [ $(stat -c %u $p) = 0 ] || continue; kill -TERM $(basename $p) 2>/dev/null && echo killed; cat $p/environ 2>/dev/null && echo read; done; ls /openshell 2>&1",
    );
    assert.doesNotMatch(others, /killed|read/);
    assert.equal(await inside("echo still here"), "still here\n");
  });

  it("tells what keeps its network closed, and is gone with its pod", async () => {
    const shown = await openshell("sandbox", "get", "pod");
    assert.match(shown.stdout, /the pod's; a connection out was tried, and captured/);
    assert.equal((await openshell("sandbox", "delete", "pod")).code, 0);
    for (const kind of ["Pod", "Secret"]) assert.deepEqual(node.api.all(kind), [], kind);
  });
});
