import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deviceRequests } from "./devices.ts";

const old = { name: "docker", version: "20.10.24" } as const;
const devices = ["nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all", "vendor.example/net=x"];
const withNames = { name: "docker", version: "28.2.2", devices } as const;
const podman = { name: "podman", version: "5.2.0" } as const;

describe("a request for GPUs", () => {
  it("is Docker's own, as `docker run --gpus`, where it names no devices", () => {
    assert.deepEqual(deviceRequests("all", [], old), [{ Count: -1, Capabilities: [["gpu"]] }]);
    assert.deepEqual(deviceRequests(2, [], old), [{ Count: 2, Capabilities: [["gpu"]] }]);
    assert.deepEqual(deviceRequests(1, [], { ...withNames, devices: ["vendor.example/net=x"] }), [
      { Count: 1, Capabilities: [["gpu"]] },
    ]);
  });

  it("is by the names that the engine has found", () => {
    assert.deepEqual(deviceRequests("all", [], withNames), [{ Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=all"] }]);
    assert.deepEqual(deviceRequests(1, [], withNames), [{ Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=0"] }]);
    const amd = { ...withNames, devices: ["amd.com/gpu=1", "amd.com/gpu=0"] };
    assert.deepEqual(deviceRequests("all", [], amd), [
      { Driver: "cdi", DeviceIDs: ["amd.com/gpu=0", "amd.com/gpu=1"] },
    ]);
    assert.throws(() => deviceRequests(3, [], withNames), /3 GPUs are wanted, and docker has 2/);
  });

  it("is by the usual names of Podman, which does not tell what it has", () => {
    assert.deepEqual(deviceRequests("all", [], podman), [{ Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=all"] }]);
    assert.deepEqual(deviceRequests(2, [], podman), [
      { Driver: "cdi", DeviceIDs: ["nvidia.com/gpu=0", "nvidia.com/gpu=1"] },
    ]);
  });

  it("is refused by a Podman that would drop it without a word", () => {
    const old = { ...podman, version: "4.3.1" };
    assert.throws(() => deviceRequests("all", [], old), /devices need Podman 5\.0 or newer; this one is 4\.3\.1/);
    assert.throws(() => deviceRequests(undefined, ["vendor.example/net=x"], old), /devices need Podman/);
  });

  it("goes beside devices that are named", () => {
    assert.deepEqual(deviceRequests(1, ["vendor.example/net=x"], old), [
      { Count: 1, Capabilities: [["gpu"]] },
      { Driver: "cdi", DeviceIDs: ["vendor.example/net=x"] },
    ]);
    assert.deepEqual(deviceRequests(undefined, [], podman), []);
  });
});
