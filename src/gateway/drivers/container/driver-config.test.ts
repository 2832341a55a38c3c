import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readDriverConfig } from "./driver-config.ts";

describe("what a client asks of the engine itself", () => {
  it("is the part for the engine that is there", () => {
    const config = {
      docker: {
        mounts: [
          { type: "volume", source: "cache", target: "/cache", read_only: false },
          { type: "volume", source: "models", target: "/models" },
          { type: "tmpfs", target: "/fast", size_bytes: 1024 },
          { type: "bind", source: "/srv/data", target: "/data" },
        ],
        cdi_devices: ["nvidia.com/gpu=0"],
      },
      podman: {},
    };
    assert.deepEqual(readDriverConfig(config, "docker"), {
      mounts: [
        { type: "volume", source: "cache", target: "/cache", readOnly: false },
        { type: "volume", source: "models", target: "/models", readOnly: true },
        { type: "tmpfs", target: "/fast", bytes: 1024 },
      ],
      folders: [{ host: "/srv/data", target: "/data", access: "read-only" }],
      devices: ["nvidia.com/gpu=0"],
    });
    const nothing = { mounts: [], folders: [], devices: [] };
    assert.deepEqual(readDriverConfig(config, "podman"), nothing);
    assert.deepEqual(readDriverConfig(undefined, "docker"), nothing);
  });

  for (const [key, value] of [
    ["privileged", true],
    ["Privileged", false],
    ["cap_add", ["SYS_ADMIN"]],
    ["network_mode", "host"],
    ["pid_mode", "host"],
    ["ipc", "host"],
    ["userns_mode", "host"],
    ["security_opt", ["seccomp=unconfined"]],
    ["devices", ["/dev/mem"]],
    ["cgroup_parent", "/"],
    ["user", "0"],
    ["entrypoint", ["sh"]],
  ] as const) {
    it(`is refused with ${key}, which is never taken`, () => {
      const read = () => readDriverConfig({ docker: { [key]: value as never } }, "docker");
      assert.throws(read, new RegExp(`docker\\.${key}: is never taken: it would`));
    });
  }

  for (const [config, problem] of [
    [{ dcoker: {} }, /dcoker: is no engine; known are docker, podman/],
    [{ docker: [] }, /docker: must be a map/],
    [{ docker: { mount: [] } }, /docker\.mount: is no known key; did you mean `mounts`/],
    [{ docker: { mounts: [{ type: "npipe", target: "/x" }] } }, /mounts\[0\]\.type: must be one of/],
    [{ docker: { mounts: [{ type: "tmpfs" }] } }, /mounts\[0\]: `target` is missing/],
    [{ docker: { mounts: [{ type: "tmpfs", target: "/x", propagation: "shared" }] } }, /propagation: is no known key/],
    [{ docker: { mounts: [{ type: "volume", source: "/etc", target: "/x" }] } }, /"\/etc" can't be a volume's name/],
    [{ docker: { mounts: [{ type: "volume", source: "../etc", target: "/x" }] } }, /can't be a volume's name/],
    [{ docker: { mounts: [{ type: "volume", source: "openshell-runtime-0", target: "/x" }] } }, /OpenShell's own/],
    [{ docker: { mounts: [{ type: "volume", target: "/x" }] } }, /"" can't be a volume's name/],
    [{ docker: { cdi_devices: ["/dev/sda"] } }, /must be a device's name as vendor\.example\/class=name/],
  ] as const) {
    it(`is refused: ${JSON.stringify(config)}`, () => {
      assert.throws(() => readDriverConfig(config as never, "docker"), problem);
    });
  }
});
