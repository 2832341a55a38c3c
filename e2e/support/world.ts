/**
 * Where a test finds itself when it runs inside the world that `scripts/e2e.ts` makes: a network namespace with nothing
 * but loopback, a mount namespace with its own /etc/hosts, /etc/resolv.conf and trust store, and a process namespace,
 * with which everything ends that a test has left behind.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

/** The variable by which `scripts/e2e.ts` says where the world's directory is. */
export const worldVariable = "OPENSHELL_E2E_WORLD";

/** The variable by which it says what sandboxes are made with. */
export const driverVariable = "OPENSHELL_E2E_DRIVER";

/** What makes the sandboxes of a world: this machine by itself, or an engine that the world has for itself. */
export const drivers = ["local", "docker", "podman"] as const;
export type Driver = (typeof drivers)[number];

/** A user besides root that exists in the world only, for tests of what an ordinary user can do. */
export const tester = { name: "tester", uid: 60077, gid: 60077 } as const;

export interface World {
  /** Scratch that every user can pass through; removed with the world. */
  readonly directory: string;
  /** The package as a user would have installed it, where every user can read it. */
  readonly packageDirectory: string;
  /** Certificate and key (PEM) of the authority that the world's trust store holds besides the system's. */
  readonly authority: { readonly certificate: string; readonly key: string };
  /** Whether the world has more users than one: not if an ordinary user made it. */
  readonly hasUsers: boolean;
  readonly driver: Driver;
}

/** Files of the world's directory. */
export const worldPaths = {
  package: "package",
  authorityCertificate: "authority.crt",
  authorityKey: "authority.key",
  /** Audit events of all tests, one JSON object a line. */
  events: "events.jsonl",
} as const;

/** The world this process is in. Throws outside of one: a test must never take the real network for its world. */
export function world(): World {
  const directory = process.env[worldVariable];
  const interfaces = Object.keys(networkInterfaces());
  if (!directory || interfaces.some((name) => name !== "lo")) {
    throw new Error("run end-to-end tests with `npm run test:e2e`, which makes a world for them");
  }
  return {
    directory,
    packageDirectory: join(directory, worldPaths.package),
    authority: {
      certificate: readFileSync(join(directory, worldPaths.authorityCertificate), "utf8"),
      key: readFileSync(join(directory, worldPaths.authorityKey), "utf8"),
    },
    hasUsers: mappedUsers() > 1,
    driver: driverOf(process.env[driverVariable]),
  };
}

/** Throws for what is no driver; without one it is this machine's. */
export function driverOf(name = "local"): Driver {
  const driver = drivers.find((known) => known === name);
  if (driver === undefined) throw new Error(`there is no driver "${name}", but ${drivers.join(", ")}`);
  return driver;
}

/** Whether sandboxes are made from an image here. */
export const isInContainers = (): boolean => world().driver !== "local";

/** For a test that has nothing to say of sandboxes made from an image: the reason, or no reason to leave it out. */
export function skipInContainers(reason: string): { readonly skip?: string } {
  return isInContainers() ? { skip: `made from an image: ${reason}` } : {};
}

/** User ids that this user namespace knows: user_namespaces(7), the third column of uid_map. */
function mappedUsers(): number {
  return Number(readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/)[2]);
}
