import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SeccompRule } from "../../../linux/seccomp-rules.ts";
import { earlySeccompRules } from "../../../linux/seccomp-rules.ts";
import { seccompProfile } from "./seccomp-profile.ts";

const bits = 0xffffffff;
const rule = (when?: SeccompRule["when"]): SeccompRule => {
  return { name: "socket", numbers: { x64: 41 }, errno: "EPERM", ...(when && { when }) };
};

describe("the engine's form of the first filter", () => {
  it("says a call, its conditions under their masks, and the errno", () => {
    const profile = JSON.parse(seccompProfile([rule([{ argument: 0, mask: 0xf, equals: 3 }])]));
    assert.equal(profile.defaultAction, "SCMP_ACT_ALLOW");
    const args = [{ index: 0, value: 0xf, valueTwo: 3, op: "SCMP_CMP_MASKED_EQ" }];
    assert.deepEqual(profile.syscalls, [{ names: ["socket"], action: "SCMP_ACT_ERRNO", errnoRet: 1, args }]);
  });

  it("leaves to init what it would say wrongly: an engine takes two tests of one argument for alternatives", () => {
    const twice = rule([
      { argument: 0, mask: bits, equals: 1, negate: true },
      { argument: 0, mask: bits, equals: 2, negate: true },
    ]);
    const except = rule([{ argument: 0, mask: bits, equals: 1, negate: true }]);
    assert.deepEqual(JSON.parse(seccompProfile([twice, except])).syscalls, []);
  });

  it("holds nothing that is to be recorded, since the kernel prefers an errno to asking", () => {
    const { syscalls } = JSON.parse(seccompProfile(earlySeccompRules));
    const names = syscalls.flatMap(({ names }: { names: string[] }) => names);
    assert.ok(names.includes("clone3") && names.includes("io_uring_setup"));
    assert.ok(!names.includes("mount") && !names.includes("ptrace"));
  });
});
