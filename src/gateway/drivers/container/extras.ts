/** What a client asks of the engine itself for a sandbox, GPUs and limits among it, checked before anything is made. */
import { create } from "@bufbuild/protobuf";
import type { Engine } from "../../../engine/engine.ts";
import { FolderAccess, FolderMountSchema } from "../../../gen/openshell/v1/sandbox_pb.ts";
import { checkFolders, refuseTargets } from "../../folders/check-folders.ts";
import { failedPrecondition } from "../../refuse.ts";
import type { Demands } from "../driver.ts";
import type { Extras } from "./container-bodies.ts";
import { deviceRequests, type EngineFacts } from "./devices.ts";
import { type OwnMount, readDriverConfig } from "./driver-config.ts";
import { type EngineInfo, whyNotLimited } from "./rootless-limits.ts";

interface Info extends EngineInfo {
  /** Docker tells what it has found since 28.2. */
  readonly DiscoveredDevices?: readonly { readonly ID: string }[] | null;
}

/** With the folders of the machine that the engine's part of it names. Throws INVALID_ARGUMENT, FAILED_PRECONDITION. */
export async function withExtras(
  demands: Demands,
  engine: Engine,
  privateDirectories: readonly string[],
): Promise<{ readonly demands: Demands; readonly extras: Extras }> {
  const { gpus, driverConfig, limits } = demands;
  const config = readDriverConfig(driverConfig, engine.name);
  const areDevicesWanted = gpus !== undefined || config.devices.length > 0;
  const isInfoNeeded = areDevicesWanted || Object.keys(limits).length > 0;
  // An engine looks at all that it has for this answer.
  const info = isInfoNeeded ? await engine.get<Info>("/info") : {};
  const why = whyNotLimited(limits, { name: engine.name, info });
  if (why !== undefined) throw failedPrecondition(why);
  // The policy's paths are the image's here, and have no say in what is mounted.
  const filesystem = { readOnly: [], readWrite: [], includeWorkdir: true };
  const named = config.folders.map(({ host, target, access }) =>
    create(FolderMountSchema, {
      host,
      target,
      access: access === "read-only" ? FolderAccess.READ_ONLY : FolderAccess.READ_WRITE,
    }),
  );
  const checked = await checkFolders(named, { filesystem, privateDirectories });
  const folders = config.folders.map((folder, index) => ({ ...folder, host: checked[index]?.host ?? folder.host }));
  const all = [...demands.folders, ...folders, ...config.mounts.map(asTarget)];
  refuseTargets(all, filesystem);
  const devices = areDevicesWanted ? deviceRequests(gpus, config.devices, await factsOf(engine, info)) : [];
  return {
    demands: { ...demands, folders: [...demands.folders, ...folders] },
    extras: { mounts: config.mounts, devices },
  };
}

async function factsOf(engine: Engine, { DiscoveredDevices: found }: Info): Promise<EngineFacts> {
  const { Version: version } = await engine.get<{ Version: string }>("/version");
  return { name: engine.name, version, ...(found && { devices: found.map(({ ID }) => ID) }) };
}

const asTarget = (mount: OwnMount) =>
  ({ target: mount.target, access: mount.type === "volume" && mount.readOnly ? "read-only" : "read-write" }) as const;
