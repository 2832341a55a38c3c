/**
 * Init restricts itself; what it starts inherits. bubblewrap (in a container: the engine, and `restrictEarly`) has made the namespaces, dropped every capability, set
 * `no_new_privs` and put the seccomp filter on before init's first instruction. What is left is Landlock, the limits, and a
 * second filter: for what init has done by now, and for the calls that the supervisor is to hear of.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { changingCallRules } from "../linux/changing-calls.ts";
import { type LandlockOutcome, restrictWithLandlock } from "../linux/landlock.ts";
import { type Resource, setLimit, setNoNewPrivileges, setNotDumpable } from "../linux/process-limits.ts";
import { compileSeccomp, installSeccomp, installSeccompWithListener } from "../linux/seccomp.ts";
import { earlySeccompRules, lateSeccompRules } from "../linux/seccomp-rules.ts";
import { type Configuration, type IsolationFact, namespaceKinds } from "./protocol.ts";

const architecture = process.arch === "arm64" ? "arm64" : "x64";

/**
 * Where a container's own filter has let Node make a ring for itself when it started, its event loop ends the process if it
 * can't use that. Nobody else can have one: the call that makes rings is refused, and no program gets at init's.
 */
const containerRules = earlySeccompRules.filter(({ name }) => name !== "io_uring_enter");

/** Puts the first filter on init, where bubblewrap has not done so: an engine's form of it can't say all of it. */
export function restrictEarly(): void {
  setNoNewPrivileges();
  installSeccomp(compileSeccomp(containerRules, architecture));
}

/**
 * Puts the second filter on init, which asks about the recorded calls.
 * @returns the filter's listener, which must not stay open here; or undefined if the kernel refuses those calls by itself,
 * unrecorded, because there is a listener outside already (a sandbox in a container that has one)
 */
export function restrictCalls({ supervisorPid }: Configuration): number | undefined {
  setNoNewPrivileges();
  setNotDumpable();
  const pids = [process.pid, ...(supervisorPid === undefined ? [] : [supervisorPid])];
  const rules = [...lateSeccompRules(pids), ...changingCallRules];
  const listener = installSeccompWithListener(compileSeccomp(rules, architecture, "listener"));
  if (listener === undefined) installSeccomp(compileSeccomp(rules, architecture));
  return listener;
}

/**
 * Closes the doors that are left, then says what is in force as measured here, not as wished.
 * @throws Error when the policy requires more than this machine gives
 */
export function restrict(configuration: Configuration, callsAreRecorded: boolean): IsolationFact[] {
  for (const [resource, value] of Object.entries(configuration.limits)) setLimit(resource as Resource, value);
  // The gateway's own umask is no business of the sandbox's programs.
  process.umask(0o022);
  const landlock = restrictWithLandlock(configuration.landlock.rules);
  if (configuration.landlock.required) requireLandlock(landlock);
  return [
    landlockFact(landlock),
    ...processFacts(readFileSync("/proc/self/status", "latin1")),
    recordedFact(callsAreRecorded),
    ...namespaceFacts(),
  ];
}

function requireLandlock(outcome: LandlockOutcome): void {
  if (outcome.abi === 0) {
    throw new Error("landlock.compatibility is hard_requirement, and this kernel has no Landlock");
  }
  const [first] = outcome.skipped;
  if (first) {
    throw new Error(`landlock.compatibility is hard_requirement, and ${first.path} can't be opened (${first.code})`);
  }
}

function landlockFact(outcome: LandlockOutcome): IsolationFact {
  if (outcome.abi === 0) {
    return {
      name: "landlock",
      value: "absent",
      strong: false,
      remedy: "Use a kernel of 5.13 or later with `landlock` among its security modules (the boot parameter lsm=).",
    };
  }
  if (!outcome.enforced) {
    return {
      name: "landlock",
      value: "off: none of the policy's paths can be opened",
      strong: false,
      remedy: "Correct the paths of filesystem_policy.",
    };
  }
  const skipped = outcome.skipped.map(({ path, code }) => `${path} (${code})`);
  const value = `ABI ${outcome.abi}${outcome.scopes ? ", scoped" : ""}`;
  if (skipped.length === 0) return { name: "landlock", value, strong: true };
  return { name: "landlock", value: `${value}; skipped ${skipped.join(", ")}`, strong: true };
}

function recordedFact(callsAreRecorded: boolean): IsolationFact {
  const fact = { name: "refused_calls", strong: callsAreRecorded };
  if (callsAreRecorded) return { ...fact, value: "recorded" };
  return {
    ...fact,
    value: "refused, but not recorded: the container around the gateway listens to system calls itself",
    remedy: "Run the gateway outside of that container, or without its interception of system calls.",
  };
}

/** Facts that the kernel tells about this process; proc_pid_status(5). */
function processFacts(status: string): IsolationFact[] {
  const field = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(status)?.[1] ?? "unknown";
  const capabilities = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map((set) => BigInt(`0x${field(set)}`));
  const hasNone = capabilities.every((set) => set === 0n);
  const seccomp = field("Seccomp") === "2";
  const noNewPrivileges = field("NoNewPrivs") === "1";
  const uid = field("Uid").split("\t")[0] ?? "unknown";
  return [
    { name: "seccomp", value: seccomp ? "filter" : "off", strong: seccomp },
    { name: "no_new_privs", value: noNewPrivileges ? "on" : "off", strong: noNewPrivileges },
    { name: "capabilities", value: hasNone ? "none" : "some", strong: hasNone },
    { name: "user", value: `uid ${uid}`, strong: uid !== "0" },
  ];
}

/** The namespaces this process is in; namespaces(7). That they are not the machine's own is for the supervisor to see. */
function namespaceFacts(): IsolationFact[] {
  return namespaceKinds.map((kind) => ({
    name: `namespace.${kind}`,
    value: readlinkSync(`/proc/self/ns/${kind}`),
    strong: true,
  }));
}
