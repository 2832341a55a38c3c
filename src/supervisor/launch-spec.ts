/**
 * A supervisor's orders, two lines of JSON on its standard input: first where it will work and what to build ahead, then,
 * as soon as somebody wants the sandbox, what it is. A supervisor in reserve waits for the second. The end of the input
 * before it means that the gateway went away, and the supervisor goes as well.
 */
import type { ApplyCredentialsJson } from "../gen/openshell/v1/provider_pb.ts";
import type { ModelRoutesJson } from "../gen/openshell/v1/supervisor_pb.ts";

/** First line: what is known before anybody has asked. */
export interface Preparation {
  readonly sandboxId: string;
  readonly directories: SandboxDirectories;
  /**
   * The policy (in its message form) whose fixed sections the sandbox will likely have: the sandbox is built for it
   * ahead. Absent: nothing is built before the second line.
   */
  readonly expectedPolicy?: unknown;
  /** Authorities (PEM) that the gateway's user trusts besides the system's; may be empty. */
  readonly extraCertificates: string;
  /** Present when the supervisor is in a container, beside the sandbox's. */
  readonly container?: ContainerPlace;
}

/** What the sandbox's container is to its supervisor; paths are the supervisor's. */
export interface ContainerPlace {
  /** Where init, which sees the same folder, will connect. */
  readonly socketPath: string;
  /** Our files of the sandbox's `/etc`, which it sees read-only. */
  readonly etc: string;
  /** Whom the container runs as. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** The image's shell; absent where the supervisor has to see for itself what the image is (image-in-pod.ts). */
  readonly shell?: string;
  /** In a pod, where the two containers share a network as well, which is guarded by rules; see capture-rules.ts. */
  readonly pod?: PodPlace;
}

export interface PodPlace {
  /** Variables that the agent's container has in place of the image's. */
  readonly hiddenVariables: readonly string[];
}

/** Node with its own loader and libraries, as words of a command: it runs in an image of any C library, or of none. */
export const containerNode = [
  "/run/openshell/lib/ld.so",
  ...["--inhibit-cache", "--library-path", "/run/openshell/lib"],
  "/run/openshell/node",
];

/** Second line: everything else. Holds secrets, so that it is written to the pipe and nowhere else. */
export interface LaunchSpec {
  readonly sandboxId: string;
  readonly sandboxName: string;
  readonly workspace: string;
  /** Unique for each start of the sandbox. */
  readonly instanceId: string;
  readonly gateway: GatewayAccess;
  readonly policy: PolicyRevision;
  /** The policy denies nothing: what it would have denied passes, on record. */
  readonly observe: boolean;
  /** The same policy as YAML, to be shown inside the sandbox. */
  readonly policyText: string;
  /** What the sandbox may ask of models at its start. */
  readonly modelRoutes: ModelRoutesJson;
  /** What the user asked for with `--env`; the supervisor adds proxy and trust variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the sandbox's image sets; absent where there is no image. */
  readonly imageEnvironment?: Readonly<Record<string, string>>;
  /** Of the attached providers. */
  readonly credentials: ApplyCredentialsJson;
  readonly upstream: UpstreamSettings;
  /** As the supervisor sees them (a gateway that is root gives it a mount namespace of its own). */
  readonly directories: SandboxDirectories;
  /** Folders of the machine that the sandbox sees besides what its policy names. */
  readonly folders: readonly SandboxFolder[];
  /** Where programs start, in the sandbox, unless they are told otherwise. */
  readonly workdir: string;
  /** What the sandbox runs by itself; absent when there is nothing, or nothing any more. */
  readonly command?: OwnCommand;
  readonly lifetime: Lifetime;
  readonly limits: SandboxLimits;
}

/** What holds a sandbox's programs together to what was asked for. */
export interface SandboxLimits {
  /** Files by which its first process joins its control groups, before it starts another. */
  readonly join: readonly string[];
  /** Processes and threads at a time; absent: the usual number. */
  readonly processes?: number;
  /** Of files; see disk-limit.ts. */
  readonly diskBytes?: number;
  /** Where the kernel counts who was killed for going beyond. */
  readonly memory?: { readonly bytes: number; readonly eventsFile: string };
}

/** A command that a sandbox runs without a client that waits for it. */
export interface OwnCommand {
  readonly words: readonly string[];
  readonly tty: boolean;
  readonly restart: RestartMode;
}

/** Whether a command is run again once it has ended. */
export type RestartMode = "no" | "on-failure" | "always";

/** When a sandbox ends by itself, in seconds; 0: never. */
export interface Lifetime {
  /** Without any program in it. */
  readonly idleSeconds: number;
  /** Since its start. */
  readonly maxSeconds: number;
}

/** A folder of the machine, or a file. */
export interface SandboxFolder {
  /** As the supervisor sees it. */
  readonly source: string;
  /** In the sandbox. */
  readonly target: string;
  readonly writable: boolean;
  /** Where what is written is to be kept, in `upper/`. Absent: `source` itself is to be written to. */
  readonly layer?: string;
}

/** How the gateway's machine reaches the network outside, as its user has said. */
export interface UpstreamSettings {
  /** For port 80, and for all others. */
  readonly proxies: { readonly http?: ProxyAddress; readonly https?: ProxyAddress };
  /** What is reached without them; see net/no-proxy.ts. */
  readonly noProxy: readonly string[];
  /** Who looks names up that are reached by a proxy. */
  readonly resolve: "local" | "proxy";
  readonly clientCertificates: readonly ClientCertificate[];
}

export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** The value of Proxy-Authorization. A secret. */
  readonly authorization?: string;
}

/** What the supervisor shows to upstreams that ask who it is. */
export interface ClientCertificate {
  /** Pattern as in policies (policy/match/host.ts). */
  readonly host: string;
  /** PEM; the key is a secret. */
  readonly certificate: string;
  readonly key: string;
}

export interface GatewayAccess {
  /** Where the gateway listens for supervisors. */
  readonly address: GatewayAddress;
  /** To show there; good for this sandbox alone. */
  readonly token: string;
  /** Where it listens for clients: no sandbox may reach that. */
  readonly port: number;
}

/**
 * How a gateway that has just started tells a supervisor so, which then dials at once and not at its next attempt. A signal
 * that changes nothing for a program without a handler of it: a supervisor may be an older one (signal(7)).
 */
export const WAKE_SIGNAL = "SIGCONT";

/** A Unix socket of the machine that both are on, or a port of another one. */
export type GatewayAddress = { readonly socketPath: string } | RemoteGateway;

export interface RemoteGateway {
  readonly host: string;
  readonly port: number;
  /** PEM; the gateway's own authority, and the only one that is believed. */
  readonly authority: string;
}

/** A policy with the revision that the gateway gave it. */
export interface PolicyRevision {
  readonly version: number;
  /** SHA-256 of the canonical form, hex. */
  readonly hash: string;
  /** openshell.sandbox.v1.SandboxPolicy as ProtoJSON, with the fields' own names; see policy/wire-json.ts. */
  readonly message: unknown;
}

/** The parts of a sandbox's state directory. All exist before the supervisor starts. */
export interface SandboxDirectories {
  /** Becomes `/sandbox`; persists. */
  readonly home: string;
  /** Audit log and shorthand log; shown read-only to the agent under `/var/log`. */
  readonly logs: string;
  /** First-use digests and the like; never visible to the agent. */
  readonly state: string;
  /** Scratch for this start: trust bundle, resolv.conf, nft rules. Emptied at each start. */
  readonly scratch: string;
}
