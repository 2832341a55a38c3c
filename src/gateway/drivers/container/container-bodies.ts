/**
 * The three containers of a sandbox, as an engine is asked for them. What an agent's may do is all in `agentBody`; that it
 * has no network but loopback, no capability and no privilege to gain is what docs/containers.md argues from.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GATEWAY_LABEL, SANDBOX_LABEL } from "../../../engine/gateway-container.ts";
import { RUNTIME, type Runtime } from "../../../engine/runtime-image.ts";
import { containerNode, type SandboxDirectories } from "../../../supervisor/launch-spec.ts";
import type { Demands } from "../driver.ts";
import type { deviceRequests } from "./devices.ts";
import type { OwnMount } from "./driver-config.ts";
import type { ImageFacts } from "./image-facts.ts";

/** What the sandbox's name is to itself: the container is there before it has another. */
export const HOSTNAME = "sandbox";
/** Where both containers have the folder of the supervisor's socket. */
const LINK = "/run/openshell-link";
const LINK_SOCKET = join(LINK, "supervisor");
/** Where the supervisor's container has what the machine gives it. */
const STATE = "/openshell/sandbox";
const GATEWAY = "/openshell/gateway";
const HOME = "/openshell/home";
/** Without a limit of its own a sandbox must still not take the machine's process numbers. */
const USUAL_PROCESSES = 8192;
const SHARED_MEMORY_BYTES = 1024 * 1024 * 1024;

/** What the three are made from. */
export interface ContainerPlan {
  readonly sandboxId: string;
  readonly gatewayId: string;
  readonly runtime: Runtime;
  readonly facts: ImageFacts;
  readonly demands: Demands;
  readonly extras: Extras;
  /** The sandbox's directory, by its path on the engine's machine. */
  readonly directory: string;
  /** Of the gateway's socket, likewise. */
  readonly gatewayDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** As this engine takes a profile. */
  readonly seccomp: string;
}

/** What a client has asked of the engine itself. */
export interface Extras {
  readonly mounts: readonly OwnMount[];
  readonly devices: ReturnType<typeof deviceRequests>;
}

export const agentName = (sandboxId: string): string => `openshell-${sandboxId}`;
export const supervisorName = (sandboxId: string): string => `openshell-${sandboxId}-supervisor`;

/** As the supervisor sees them. */
export const supervisorView = {
  directories: {
    home: join(STATE, "home"),
    logs: join(STATE, "logs"),
    state: join(STATE, "state"),
    scratch: join(STATE, "scratch"),
  } satisfies SandboxDirectories,
  gateway: GATEWAY,
  socketPath: LINK_SOCKET,
  etc: join(STATE, "etc"),
  memoryEvents: "/openshell/memory-events",
} as const;

/** On this machine, below the sandbox's directory. */
export const linkDirectory = (directory: string): string => join(directory, "link");
export const etcDirectory = (directory: string): string => join(directory, "etc");

/** Engines switch it off where a network has no addresses of it; programs expect `::1`, and IPv6 must be captured too. */
function ipv6Switches(): Record<string, string> {
  const hasIpv6 = existsSync("/proc/sys/net/ipv6");
  return Object.fromEntries(
    (hasIpv6 ? ["all", "default", "lo"] : []).map((name) => [`net.ipv6.conf.${name}.disable_ipv6`, "0"]),
  );
}

const bind = (Source: string, Target: string, ReadOnly: boolean) => ({ Type: "bind", Source, Target, ReadOnly });
const mountOf = (mount: OwnMount) =>
  mount.type === "tmpfs"
    ? { Type: "tmpfs", Target: mount.target, TmpfsOptions: { SizeBytes: mount.bytes, Mode: 0o1777 } }
    : { Type: "volume", Source: mount.source, Target: mount.target, ReadOnly: mount.readOnly };
const logging = { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } };
const labels = ({ sandboxId, gatewayId }: ContainerPlan) => ({
  [SANDBOX_LABEL]: sandboxId,
  [GATEWAY_LABEL]: gatewayId,
});

/** What runs is untrusted, and so is the image: nothing of it is run but what init is asked for. */
export function agentBody(plan: ContainerPlan): object {
  const { facts, demands, extras, runtime, directory } = plan;
  const { cpuMillis, memoryBytes, processes } = demands.limits;
  const { uid, gid } = facts.user;
  const etc = (name: string) => join(etcDirectory(directory), name);
  return {
    Image: facts.id,
    User: `${uid}:${gid}`,
    Hostname: HOSTNAME,
    // The image's variables are made empty: one for the loader or for Node would change what init is. A name alone takes
    // one away with Docker, and not with Podman.
    Env: [...Object.keys(facts.environment).map((name) => `${name}=`), "OPENSSL_CONF=/dev/null"],
    Entrypoint: [...containerNode, "--max-semi-space-size=1", join(RUNTIME, "dist/init.cjs"), LINK_SOCKET],
    Cmd: [],
    WorkingDir: "/",
    Healthcheck: { Test: ["NONE"] },
    Labels: labels(plan),
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      Privileged: false,
      SecurityOpt: ["no-new-privileges", `seccomp=${plan.seccomp}`],
      Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0", ...ipv6Switches() },
      CgroupnsMode: "private",
      IpcMode: "private",
      PidsLimit: processes ?? USUAL_PROCESSES,
      ...(memoryBytes !== undefined && { Memory: memoryBytes, MemorySwap: memoryBytes }),
      ...(cpuMillis !== undefined && { NanoCpus: cpuMillis * 1_000_000 }),
      ShmSize: SHARED_MEMORY_BYTES,
      LogConfig: logging,
      RestartPolicy: { Name: "no" },
      Mounts: [
        { Type: "volume", Source: runtime.volume, Target: RUNTIME, ReadOnly: true, VolumeOptions: { NoCopy: true } },
        bind(linkDirectory(directory), LINK, true),
        bind(join(directory, "home"), "/sandbox", false),
        bind(join(directory, "logs"), "/var/log", true),
        ...["openshell", "openshell-tls", "passwd", "hosts", "resolv.conf", "ld.so.preload"].map((name) =>
          bind(etc(name), `/etc/${name}`, true),
        ),
        ...facts.trustFiles.map((path) => bind(etc("openshell-tls/ca-bundle.crt"), path, true)),
        ...demands.folders.map(({ host, target, access }) => bind(host, target, access !== "read-write")),
        ...extras.mounts.map(mountOf),
      ],
      ...(extras.devices.length > 0 && { DeviceRequests: extras.devices }),
    },
  };
}

/**
 * Trusted, with the machine's network as a supervisor has it that is no container. It may look at the agent's processes,
 * and read what only they may. `memoryEvents` is where the machine's kernel counts those that it killed.
 */
export function supervisorBody(plan: ContainerPlan, memoryEvents: string | undefined): object {
  return {
    Image: plan.runtime.image,
    User: "0:0",
    Env: Object.entries(plan.environment).map(([name, value]) => `${name}=${value}`),
    Entrypoint: [...containerNode, join(RUNTIME, "dist/supervisor.cjs")],
    Cmd: [],
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Labels: labels(plan),
    HostConfig: {
      NetworkMode: "host",
      PidMode: `container:${agentName(plan.sandboxId)}`,
      CapDrop: ["ALL"],
      CapAdd: ["SYS_PTRACE", "DAC_OVERRIDE"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      LogConfig: logging,
      RestartPolicy: { Name: "no" },
      Mounts: [
        bind(plan.directory, STATE, false),
        bind(linkDirectory(plan.directory), LINK, false),
        bind(plan.gatewayDirectory, GATEWAY, false),
        ...(memoryEvents === undefined ? [] : [bind(memoryEvents, supervisorView.memoryEvents, true)]),
      ],
    },
  };
}

/** Sets the agent's network up, and is gone before anything runs in it. */
export function networkBody(plan: ContainerPlan): object {
  const { uid, gid } = plan.facts.user;
  return {
    Image: plan.runtime.image,
    User: "0:0",
    Entrypoint: [...containerNode, join(RUNTIME, "dist/container-network.cjs"), HOME, String(uid), String(gid)],
    Cmd: [],
    Labels: labels(plan),
    HostConfig: {
      NetworkMode: `container:${agentName(plan.sandboxId)}`,
      CapDrop: ["ALL"],
      CapAdd: ["NET_ADMIN", "CHOWN", "DAC_OVERRIDE"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      LogConfig: logging,
      RestartPolicy: { Name: "no" },
      Mounts: [bind(join(plan.directory, "home"), HOME, false)],
    },
  };
}

/** Removes what a sandbox's containers have written as users that a gateway without privilege is not. */
export function removalBody({ image }: Runtime, directory: string): object {
  const script =
    'const { readdirSync, rmSync } = require("fs"); const { join } = require("path"); const at = process.argv[1];' +
    "for (const name of readdirSync(at)) rmSync(join(at, name), { recursive: true, force: true });";
  return {
    Image: image,
    User: "0:0",
    Entrypoint: [...containerNode, "-e", script, STATE],
    Cmd: [],
    HostConfig: {
      NetworkMode: "none",
      CapDrop: ["ALL"],
      CapAdd: ["DAC_OVERRIDE", "FOWNER"],
      SecurityOpt: ["no-new-privileges"],
      ReadonlyRootfs: true,
      Mounts: [bind(directory, STATE, false)],
    },
  };
}
