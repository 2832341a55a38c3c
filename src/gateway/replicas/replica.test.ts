import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubernetesSettings } from "../drivers/kubernetes/kubernetes-file.ts";
import { createGatewayLog } from "../gateway-log.ts";
import { openReplica, replicaPlaces } from "./replica.ts";

describe("a replica", () => {
  const kubernetes = { listen: { host: "::", port: 17_671 } } as KubernetesSettings;
  const terms = { isInForeground: true, address: "10.0.0.7", port: 9000, server: { listen: "::" }, kubernetes };

  it("listens where its gateway would", () => {
    assert.deepEqual(replicaPlaces(terms), {
      host: "10.0.0.7",
      api: { host: "::", port: 9000 },
      supervisors: { host: "::", port: 17_671 },
    });
    assert.deepEqual(replicaPlaces({ ...terms, port: undefined, server: {} }).api, { host: "127.0.0.1", port: 17_670 });
  });

  it("says what it wants", () => {
    assert.throws(() => replicaPlaces({ ...terms, kubernetes: undefined }), /wants a kubernetes\.yaml/);
    assert.throws(() => replicaPlaces({ ...terms, address: "" }), /OPENSHELL_REPLICA_ADDRESS must be set/);
    assert.throws(() => replicaPlaces({ ...terms, isInForeground: false }), /start it with --foreground/);
  });

  it("does not take what its own address has led before for a leader, and says who leads when that changes", async () => {
    const lines: string[] = [];
    const loopback = { host: "127.0.0.1", port: 0 };
    const { ports, standby } = await openReplica(
      { host: "127.0.0.1", api: loopback, supervisors: loopback },
      createGatewayLog((line) => void lines.push(line), Date.now),
    );
    const other = { host: "127.0.0.2", apiPort: 1, supervisorsPort: 2 };
    for (const leader of [standby.address, other, other, undefined, standby.address]) standby.onLeader(leader);
    await Promise.all([ports.api.close(), ports.supervisors.close()]);
    const said = lines.map((line) => line.replace(/^.*INFO /, "").trim());
    assert.deepEqual(said.slice(1), ["replica 127.0.0.2 leads", "no replica leads"]);
  });
});
