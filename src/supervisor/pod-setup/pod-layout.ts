/** Where the trusted containers of a pod have what: the gateway's driver mounts it so, and they find it so. */
import type { SandboxDirectories } from "../launch-spec.ts";

/** What is set up in a pod. */
export interface PodSetup {
  /** The agent's. */
  readonly uid: number;
  readonly gid: number;
  /** What the sandbox's name is to itself: the pod is there before it has another. */
  readonly hostname: string;
}

const STATE = "/openshell/sandbox";

export const podView = {
  directories: {
    home: `${STATE}/home`,
    logs: `${STATE}/logs`,
    state: `${STATE}/state`,
    scratch: "/openshell/work/scratch",
  } satisfies SandboxDirectories,
  /** What lasts from start to start. */
  kept: STATE,
  /** What a pod has for itself. */
  work: "/openshell/work",
  /** Our files of the agent's `/etc`. */
  etc: "/openshell/work/etc",
  /** Of the supervisor's socket. */
  link: "/openshell/work/link",
  /** To be copied to: the image's is only this container's. */
  runtime: "/openshell/runtime",
  /** See await-orders.ts. */
  summons: "/openshell/summons",
} as const;
