import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeCall, refusingRule } from "./seccomp-call.ts";
import { lateSeccompRules } from "./seccomp-rules.ts";

describe("a refused call", () => {
  it("is written with those of its arguments that say what was wanted", () => {
    const calls: readonly (readonly [expected: string, name: string, ...values: number[]])[] = [
      ["unshare(CLONE_NEWUSER|CLONE_NEWNET)", "unshare", 0x50000000],
      ["clone(CLONE_NEWUSER)", "clone", 0x10000000 | 17],
      // 0x80 would be CLONE_NEWTIME, but belongs to the signal here.
      ["clone(CLONE_NEWPID)", "clone", 0x20000000 | 0x80],
      ["setns(CLONE_NEWNS)", "setns", 5, 0x20000],
      ["setns(any)", "setns", 5, 0],
      ["ptrace(PTRACE_ATTACH)", "ptrace", 16, 1],
      ["ptrace(77)", "ptrace", 77],
      ["socket(AF_PACKET, SOCK_RAW)", "socket", 17, 3 | 0x80000],
      ["socket(AF_VSOCK)", "socket", 40, 1],
      ["ioctl(TIOCSTI)", "ioctl", 1, 0x5412],
      ["kill(2, SIGKILL)", "kill", 2, 9],
      ["kill(-1, SIGTERM)", "kill", 0xffffffff, 15],
      ["tgkill(2, 2, SIGKILL)", "tgkill", 2, 2, 9],
      ["mount", "mount", 1, 2, 3],
    ];
    for (const [expected, name, ...values] of calls) assert.equal(describeCall(name, values), expected);
  });

  it("leads back to the rule that refuses it, by number and arguments", () => {
    const recorded = lateSeccompRules([2]).filter((rule) => rule.recorded);
    const ruleOf = (number: number, ...values: number[]) =>
      refusingRule(recorded, { number, arguments: values }, "x64");
    assert.equal(ruleOf(165)?.name, "mount");
    assert.equal(ruleOf(298)?.errno, "EACCES");
    assert.equal(ruleOf(41, 2, 3 | 0x800)?.errno, "EPERM");
    assert.equal(ruleOf(41, 17, 2)?.errno, "EAFNOSUPPORT");
    assert.equal(ruleOf(41, 2, 1), undefined);
    assert.equal(ruleOf(272, 0x10000000)?.name, "unshare");
    assert.deepEqual(
      [ruleOf(62, 2, 9)?.name, ruleOf(62, 0xffffffff, 9)?.name, ruleOf(62, 3, 9)],
      ["kill", "kill", undefined],
    );
  });
});
