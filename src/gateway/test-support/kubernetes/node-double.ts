/**
 * A node of the double's: it runs a pod's supervisor for real, as a process of this machine without a sandbox, with what the
 * pod's Secret says; its other containers it only tells of.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ApiDouble, type ApiDoubleOptions, type StoredObject } from "./api-double.ts";

const fakeSupervisor = fileURLToPath(new URL("../../../supervisor/test-support/fake-supervisor.ts", import.meta.url));
const running = (name: string) => ({ name, state: { running: {} } });
const ended = (name: string, exitCode: number) => ({ name, state: { terminated: { exitCode, reason: "Completed" } } });

export interface NodeDouble extends AsyncDisposable {
  readonly api: ApiDouble;
  /** As a container that is killed, or a node that fails. */
  killSupervisor(pod: string): void;
}

export interface NodeDoubleOptions extends Pick<ApiDoubleOptions, "mutate"> {
  /** Gives a status in place of running a pod. */
  readonly fate?: (pod: StoredObject) => object | undefined;
}

export async function startNodeDouble({ fate, ...options }: NodeDoubleOptions = {}): Promise<NodeDouble> {
  const supervisors = new Map<string, ChildProcess>();
  const onPod = (pod: StoredObject): void => {
    const { name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      const supervisor = supervisors.get(name);
      if (supervisor === undefined || supervisor.exitCode !== null || supervisor.signalCode !== null)
        api.removePod(name);
      else supervisor.once("close", () => api.removePod(name)).kill("SIGKILL");
      return;
    }
    const status = fate?.(pod);
    if (status !== undefined) return api.setStatus(name, status);
    supervisors.set(name, runSupervisor(api, name));
  };
  const api = await ApiDouble.start({ ...options, onPod });
  return {
    api,
    killSupervisor: (pod) => void supervisors.get(pod)?.kill("SIGKILL"),
    async [Symbol.asyncDispose]() {
      for (const supervisor of supervisors.values()) supervisor.kill("SIGKILL");
      await api[Symbol.asyncDispose]();
    },
  };
}

function runSupervisor(api: ApiDouble, name: string): ChildProcess {
  const summons = mkdtempSync(join(tmpdir(), "openshell-summons-"));
  const files = api.get("Secret", name)?.stringData ?? {};
  for (const [file, text] of Object.entries(files)) writeFileSync(join(summons, file), text);
  const supervisor = spawn(process.execPath, [fakeSupervisor, summons], { stdio: ["ignore", "ignore", "inherit"] });
  const setup = [ended("setup", 0)];
  supervisor.once("spawn", () => {
    api.setStatus(name, {
      phase: "Running",
      initContainerStatuses: setup,
      containerStatuses: ["supervisor", "agent"].map(running),
    });
  });
  supervisor.once("close", (code) => {
    rmSync(summons, { recursive: true });
    const containerStatuses = ["supervisor", "agent"].map((container) => ended(container, code ?? 137));
    api.setStatus(name, { phase: "Failed", initContainerStatuses: setup, containerStatuses });
  });
  return supervisor;
}
