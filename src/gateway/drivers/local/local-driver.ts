/** Sandboxes on this machine: one supervisor process each, and one in reserve so that the next starts at once. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { packageView } from "../../../locations/package-view.ts";
import { defaultPolicy } from "../../../policy/default-policy.ts";
import { policyToMessageJson } from "../../../policy/wire-json.ts";
import type { LaunchSpec, SandboxLimits } from "../../../supervisor/launch-spec.ts";
import { readSandboxProcesses } from "../../../supervisor/sandbox-processes.ts";
import { removeTree } from "../../files/remove-tree.ts";
import type {
  ComputeDriver,
  Demands,
  FolderRequest,
  Limits,
  Placement,
  PreparedSupervisor,
  SupervisorProcess,
} from "../driver.ts";
import { forgetOtherPrograms } from "../kept-programs.ts";
import { layerOf, makeLayers, ownFolders, viewedFolders, viewMounts } from "./folders.ts";
import type { HostUids } from "./host-uids.ts";
import { dismiss, isRunning, killUid, killUntilGone, remainingProcesses, wake } from "./kill-processes.ts";
import { makeViewDirectories, privateViewCommand, viewDirectories, viewGatewayDirectory } from "./private-view.ts";
import { Reserve } from "./reserve.ts";
import { directoriesIn, layersDirectory, makeDirectories, sandboxesDirectory } from "./sandbox-directories.ts";
import { SandboxGroups } from "./sandbox-groups.ts";
import { SavedStates } from "./saved-states.ts";
import { spawnSupervisor } from "./supervisor-process.ts";

export interface LocalDriverOptions {
  readonly version: string;
  readonly stateDirectory: string;
  /** Where supervisors find the gateway. */
  readonly socketPath: string;
  /** The supervisor's program. */
  readonly supervisorEntry: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Authorities (PEM) that are trusted besides the system's. */
  readonly extraCertificates: string;
  /** Gives uids of their own to sandboxes; undefined: all run as the gateway's user. */
  readonly hostUids: HostUids | undefined;
}

const NOTHING_ASKED: Demands = { folders: [], limits: {} };

function isAsked({ folders, limits }: Demands): boolean {
  return folders.length > 0 || Object.keys(limits).length > 0;
}

/** Makes the driver, and begins to prepare the reserve. */
export function createLocalDriver(options: LocalDriverOptions): ComputeDriver {
  const base = sandboxesDirectory(options.stateDirectory);
  const logs = join(options.stateDirectory, "supervisors");
  for (const path of [base, logs]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const { hostUids } = options;
  const savedStates = new SavedStates(options.stateDirectory);
  if (hostUids !== undefined) makeViewDirectories(packageView(options.supervisorEntry).items);
  const directoryOf = (sandboxId: string) => join(base, sandboxId);
  const layersOf = (sandboxId: string) => layersDirectory(options.stateDirectory, sandboxId);
  const groups = new SandboxGroups(logs);
  const logOf = (sandboxId: string) => join(logs, `${sandboxId}.log`);

  // The next sandbox will likely have the fixed sections of the last.
  let expectedPolicy: unknown = policyToMessageJson(defaultPolicy);

  async function prepare(
    asked: Placement,
    { folders, limits }: Demands,
    expected?: unknown,
  ): Promise<PreparedSupervisor> {
    const placement = await withHostUid(asked);
    const directory = directoryOf(placement.sandboxId);
    const layers = layersOf(placement.sandboxId);
    await makeDirectories(directory, placement);
    await makeLayers(folders, layers, placement);
    const place = commandFor(options, directory, { placement, layers, folders });
    const supervisor = await spawnSupervisor({
      ...place.command,
      environment: options.environment,
      logPath: logOf(placement.sandboxId),
      preparation: {
        sandboxId: placement.sandboxId,
        directories: place.directories,
        extraCertificates: options.extraCertificates,
        ...(expected !== undefined && { expectedPolicy: expected }),
      },
    });
    const launch = (spec: LaunchSpec): void => {
      expectedPolicy = spec.policy.message;
      supervisor.launch(spec);
    };
    const { socketPath, directories, folders: shown } = place;
    const kept = await keepLimits(placement, limits, supervisor.process);
    return { placement, gateway: { socketPath }, directories, folders: shown, limits: kept, ...supervisor, launch };
  }

  async function keepLimits(placement: Placement, limits: Limits, process: SupervisorProcess): Promise<SandboxLimits> {
    try {
      return groups.make(placement, limits, process.pid);
    } catch (error) {
      await kill(placement, process);
      throw error;
    }
  }

  async function kill(placement: Placement, process: SupervisorProcess | undefined): Promise<void> {
    await killAll(placement, process);
    await groups.remove(placement.sandboxId);
  }

  async function killAll(placement: Placement, process: SupervisorProcess | undefined): Promise<void> {
    if (process !== undefined) await dismiss(process);
    if (placement.hostUid !== undefined) return killUid(placement.hostUid);
    const written = readSandboxProcesses(directoriesIn(directoryOf(placement.sandboxId)).state);
    await killUntilGone(() => [
      ...(process !== undefined && isRunning(process) ? [process] : []),
      ...(written === undefined ? [] : remainingProcesses(placement.sandboxId, written)),
    ]);
  }

  async function remove({ sandboxId, hostUid }: Placement): Promise<void> {
    await savedStates.removeAll(sandboxId);
    await removeTree(layersOf(sandboxId));
    // Last, since it is by this that a gateway that was killed meanwhile finds the rest.
    await removeTree(directoryOf(sandboxId));
    await rm(logOf(sandboxId), { force: true });
    if (hostUid !== undefined) hostUids?.release(hostUid);
  }

  async function removeUnknown(sandboxId: string): Promise<void> {
    const { uid } = await stat(directoryOf(sandboxId));
    const placement = hostUids !== undefined && uid !== 0 ? { sandboxId, hostUid: uid } : { sandboxId };
    await kill(placement, undefined);
    await remove(placement);
  }

  async function withHostUid(placement: Placement): Promise<Placement> {
    if (hostUids === undefined || placement.hostUid !== undefined) return placement;
    const directory = directoryOf(placement.sandboxId);
    // The directory first: a uid whose directory does not exist counts as forgotten.
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return { ...placement, hostUid: hostUids.take(directory) };
  }

  const newPlacement = (): Promise<Placement> => withHostUid({ sandboxId: randomUUID() });
  // A package that was installed anew takes the place of the one that the reserve was started from, and is all that a
  // sandbox could be built from now.
  const programOnDisk = (): number => statSync(dirname(options.supervisorEntry), { throwIfNoEntry: false })?.ino ?? 0;
  let reservedProgram = 0;
  const reserve = new Reserve({
    prepare: async () => {
      reservedProgram = programOnDisk();
      return prepare(await newPlacement(), NOTHING_ASKED, expectedPolicy);
    },
    discard: async ({ placement, process }) => {
      await kill(placement, process);
      await remove(placement);
    },
    isCurrent: () => programOnDisk() === reservedProgram,
  });

  return {
    name: "local",
    version: options.version,
    // What is in reserve is built already.
    claim: async (demands) => (isAsked(demands) ? prepare(await newPlacement(), demands) : reserve.take()),
    prepare: (placement, demands) => prepare(placement, demands),
    policyOf: () => Promise.resolve(undefined),
    whyNot: ({ limits, folders }) =>
      limits.diskBytes && hostUids !== undefined && folders.some(({ access }) => access === "copy-on-write")
        ? "disk can't be limited here: what is written to a workspace is out of the reach of whoever counts, since the gateway is root"
        : groups.whyNot(limits),
    layer: ({ sandboxId }, target) => layerOf(layersOf(sandboxId), target),
    async fork(from) {
      const placement = await newPlacement();
      try {
        await makeDirectories(directoryOf(placement.sandboxId), placement);
        const { hostUid: owner } = from;
        const owners = owner !== undefined && placement.hostUid !== undefined && { from: owner, to: placement.hostUid };
        await savedStates.copy(from.sandboxId, placement.sandboxId, owners || undefined);
        return placement;
      } catch (error) {
        await remove(placement);
        throw error;
      }
    },
    saveState: ({ sandboxId }, name) => savedStates.save(sandboxId, name),
    savedStates: ({ sandboxId }) => savedStates.list(sandboxId),
    restoreState: ({ sandboxId }, name) => savedStates.restore(sandboxId, name),
    removeSavedState: ({ sandboxId }, name) => savedStates.remove(sandboxId, name),
    isHere: ({ sandboxId, hostUid }) =>
      existsSync(directoryOf(sandboxId)) ||
      (hostUid !== undefined && hostUids?.holder(hostUid) === directoryOf(sandboxId)),
    isRunning,
    wake,
    kill,
    remove,
    async sweep(known) {
      for (const { sandboxId, hostUid } of known) {
        if (hostUid !== undefined) hostUids?.keep(hostUid, directoryOf(sandboxId));
      }
      const keep = new Set(known.map(({ sandboxId }) => sandboxId));
      for (const sandboxId of await readdir(base)) if (!keep.has(sandboxId)) await removeUnknown(sandboxId);
      if (known.length === 0) forgetOtherPrograms(options.supervisorEntry, options.stateDirectory);
      for (const sandboxId of groups.sandboxes()) if (!keep.has(sandboxId)) await groups.remove(sandboxId);
      reserve.fill();
    },
    close: () => reserve.close(),
  };
}

interface Shown {
  readonly placement: Placement;
  readonly layers: string;
  readonly folders: readonly FolderRequest[];
}

function commandFor(options: LocalDriverOptions, directory: string, { placement, layers, folders }: Shown) {
  const { supervisorEntry, socketPath } = options;
  const { hostUid } = placement;
  if (hostUid === undefined) {
    const command = { file: process.execPath, args: [supervisorEntry] };
    return { command, socketPath, directories: directoriesIn(directory), folders: ownFolders(folders, layers) };
  }
  const command = privateViewCommand({
    hostUid,
    sandboxDirectory: directory,
    gatewayDirectory: dirname(socketPath),
    ...packageView(supervisorEntry),
    folders: viewMounts(folders, layers, hostUid),
  });
  const viewedSocketPath = join(viewGatewayDirectory, basename(socketPath));
  return { command, socketPath: viewedSocketPath, directories: viewDirectories, folders: viewedFolders(folders) };
}
