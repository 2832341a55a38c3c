/** What a gateway is told of the double of a cluster, and the image that its pods run. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { engineCommand } from "../engine.ts";
import type { Installation } from "../installation.ts";
import type { EngineNode } from "./engine-node.ts";

const RUNTIME = "openshell-e2e:runtime";

/** For gateways and their commands, in place of the engine that the world has. */
export const clusterEnvironment = { OPENSHELL_DRIVERS: "kubernetes" };

/** Makes the image that supervisors and the pods' setup run in, and puts it on the node. */
export async function loadRuntimeImage(installation: Installation): Promise<void> {
  const archive = join(installation.home, "runtime.tar");
  const made = await installation.run(["gateway", "image", archive, "--name", RUNTIME], { env: clusterEnvironment });
  assert.equal(made.code, 0, made.stderr);
  engineCommand("docker", ["load", "--input", archive]);
  rmSync(archive);
}

export interface ClusterPlaces {
  /** As pods reach the gateway: HOST:PORT. */
  readonly gateway: string;
  /** Where it listens for them. */
  readonly listen: string;
}

/** Writes `kubernetes.yaml` and a kubeconfig. Gives the directory of the configuration. */
export function configureCluster({ home }: Installation, { api }: EngineNode, places: ClusterPlaces): string {
  const directory = join(home, ".config", "openshell");
  mkdirSync(directory, { recursive: true });
  const { server, authority, token } = api;
  const cluster = { server: server.href, "certificate-authority-data": Buffer.from(authority).toString("base64") };
  const kubeconfig = {
    "current-context": "here",
    contexts: [{ name: "here", context: { cluster: "here", user: "gateway" } }],
    clusters: [{ name: "here", cluster }],
    users: [{ name: "gateway", user: { token } }],
  };
  writeFileSync(join(directory, "kubeconfig"), JSON.stringify(kubeconfig));
  const settings = { namespace: "sandboxes", ...places, runtime_image: RUNTIME };
  writeFileSync(
    join(directory, "kubernetes.yaml"),
    JSON.stringify({ ...settings, kubeconfig: "kubeconfig", user_namespaces: false }),
  );
  return directory;
}
