import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { whyNotLimited } from "./rootless-limits.ts";

const limits = { memoryBytes: 1 << 28 };
const handedOn = { CgroupVersion: "2", CgroupDriver: "systemd" };
const old = { CgroupVersion: "1", CgroupDriver: "cgroupfs" };

describe("a limit asked of an engine", () => {
  it("is kept by root's, and by a user's that has been given control groups", () => {
    assert.equal(whyNotLimited(limits, { name: "docker", info: old }), undefined);
    assert.equal(whyNotLimited(limits, { name: "podman", info: { ...handedOn, Rootless: true } }), undefined);
    assert.equal(
      whyNotLimited(limits, { name: "docker", info: { ...handedOn, SecurityOptions: ["name=rootless"] } }),
      undefined,
    );
  });

  it("is refused where it would be dropped, and only where one is asked for", () => {
    for (const info of [
      { ...old, Rootless: true },
      { CgroupVersion: "2", CgroupDriver: "cgroupfs", Rootless: true },
      { CgroupVersion: "2", CgroupDriver: "none", SecurityOptions: ["name=seccomp,profile=default", "name=rootless"] },
    ]) {
      assert.match(whyNotLimited(limits, { name: "podman", info }) ?? "", /a rootless podman can't limit/);
      assert.equal(whyNotLimited({}, { name: "podman", info }), undefined);
    }
  });
});
