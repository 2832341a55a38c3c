/**
 * The engine's form of the first system call filter: what of it that can be said in it, since it knows no two tests of one
 * argument, and no test that differs under a mask. Init puts on the whole when it starts (init/restrict.ts); until then
 * nothing runs but our loader and our Node.
 */
import type { ArgumentTest, SeccompRule } from "../../../linux/seccomp-rules.ts";

const errnoNumbers = { EPERM: 1, EACCES: 13, EBUSY: 16, EINVAL: 22, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

/** Whose calls reach init's filter, which refuses what is not native with ENOSYS. An engine would end the program instead. */
const architectures = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
} as const;

/** JSON as `--security-opt seccomp=` takes it. */
export function seccompProfile(rules: readonly SeccompRule[]): string {
  return JSON.stringify({
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: architectures[process.arch === "arm64" ? "arm64" : "x64"],
    syscalls: rules.filter(canBeSaid).map(({ name, errno, when = [] }) => ({
      names: [name],
      action: "SCMP_ACT_ERRNO",
      errnoRet: errno === "none" ? 0 : errnoNumbers[errno],
      args: when.map(({ argument, mask, equals }) => {
        return { index: argument, value: mask, valueTwo: equals, op: "SCMP_CMP_MASKED_EQ" };
      }),
    })),
  });
}

function canBeSaid({ when = [] }: SeccompRule): boolean {
  const isPlain = ({ negate = false }: ArgumentTest) => !negate;
  return when.every(isPlain) && new Set(when.map(({ argument }) => argument)).size === when.length;
}
