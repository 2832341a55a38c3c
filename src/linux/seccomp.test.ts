import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Architecture, compileSeccomp, type Refuser } from "./seccomp.ts";
import { type ArgumentTest, type Errno, lateSeccompRules, seccompRules } from "./seccomp-rules.ts";

const allowed = 0x7fff0000;
const asked = 0x7fc00000;
const errnos: Record<Errno, number> = {
  none: 0,
  EPERM: 1,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  ENOSYS: 38,
  EAFNOSUPPORT: 97,
};
const audit: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** A system call as the kernel shows it to a filter; seccomp(2), struct seccomp_data. */
interface Call {
  readonly architecture: number;
  readonly number: number;
  readonly arguments: readonly number[];
}

/** The part of classic BPF that seccomp filters consist of; a filter that needs more fails here. */
function interpret(program: Buffer, call: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.architecture, 4);
  for (const [index, value] of call.arguments.entries()) data.writeUInt32LE(value >>> 0, 16 + 8 * index);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const code = program.readUInt16LE(at * 8);
    const k = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => program.readUInt8(at * 8 + (holds ? 2 : 3));
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) at += jump(accumulator === k);
    else if (code === 0x35) at += jump(accumulator >= k);
    else if (code === 0x06) return k;
    else throw new Error(`instruction ${code.toString(16)}`);
  }
  throw new Error("ran off the end");
}

/** What the rules mean, said in another way than the compiler's. */
function meant(architecture: Architecture, refuser: Refuser, call: Call): number {
  const holds = ({ argument, mask, equals, negate = false }: ArgumentTest) =>
    (((call.arguments[argument] ?? 0) & mask) >>> 0 === equals) !== negate;
  const rule = rules.find(
    ({ numbers, when = [] }) => numbers[architecture] === call.number && when.every((test) => holds(test)),
  );
  if (!rule) return allowed;
  return rule.recorded && refuser === "listener" ? asked : 0x50000 | errnos[rule.errno];
}

const rules = [...seccompRules, ...lateSeccompRules([2])];
const interesting = rules.flatMap(({ when = [] }) => when.flatMap(({ mask, equals }) => [mask, equals]));
const argument = fc.oneof(fc.constantFrom(...interesting, 0, 0xffffffff), fc.nat({ max: 0xffffffff }));

for (const architecture of ["x64", "arm64"] as const) {
  describe(`the filter for ${architecture}`, () => {
    const program = compileSeccomp(rules, architecture);
    const numbers = rules.flatMap((rule) => rule.numbers[architecture] ?? []);

    const call = fc.record({
      architecture: fc.constant(audit[architecture]),
      number: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...numbers) }, fc.nat({ max: 600 })),
      arguments: fc.array(argument, { minLength: 6, maxLength: 6 }),
    });
    for (const refuser of ["kernel", "listener"] as const) {
      it(`answers every call as its rules say, by the ${refuser}`, () => {
        const program = compileSeccomp(rules, architecture, refuser);
        fc.assert(
          fc.property(call, (made) => assert.equal(interpret(program, made), meant(architecture, refuser, made))),
          { numRuns: 5000 },
        );
      });
    }

    it("refuses another architecture's calls whole", () => {
      for (const other of [0x40000003, 0x40000028, audit[architecture === "x64" ? "arm64" : "x64"]]) {
        const call = { architecture: other, number: 39, arguments: [0, 0, 0, 0, 0, 0] };
        assert.equal(interpret(program, call), 0x50000 | errnos.ENOSYS);
      }
    });

    it("fits into what the kernel takes (BPF_MAXINSNS)", () => {
      assert.ok(program.length / 8 <= 4096);
    });
  });
}

describe("the filter for x64", () => {
  it("refuses x32's numbers, and -1", () => {
    const program = compileSeccomp(seccompRules, "x64");
    for (const number of [0x40000000 | 39, 0x40000200, 0xffffffff]) {
      const call = { architecture: audit.x64, number, arguments: [0, 0, 0, 0, 0, 0] };
      assert.equal(interpret(program, call), 0x50000 | errnos.ENOSYS);
    }
  });
});

describe("installSeccomp", () => {
  it("binds the process and what it starts", () => {
    const here = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { spawnSync } from "node:child_process";
      import { setNoNewPrivileges } from ${here("process-limits.ts")};
      import { compileSeccomp, installSeccomp } from ${here("seccomp.ts")};
      import { seccompRules } from ${here("seccomp-rules.ts")};
      setNoNewPrivileges();
      installSeccomp(compileSeccomp(seccompRules, process.arch));
      const { stdout } = spawnSync("sh", ["-c", "grep Seccomp: /proc/self/status; unshare --user true || echo refused"]);
      console.log(String(stdout));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
      encoding: "utf8",
    });
    assert.equal(stdout, "Seccomp:\t2\nrefused\n\n", stderr);
  });
});
