/** The folders that a new sandbox is to see: `--workspace FOLDER` and `--mount`. */
import { resolve } from "node:path";
import type { FolderMountJson } from "../../gen/openshell/v1/sandbox_pb.ts";
import { gatewayTarget } from "../api/gateway-target.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { DEFAULT_WORKSPACE } from "../flags/global-flags.ts";

/** Where a sandbox sees the folder that it works on, and starts its programs. */
const WORKSPACE = "/sandbox/workspace";

/**
 * `--workspace` is the published flag for one of the gateway's workspaces. A value that can't be such a name is a folder:
 * a path with a slash, `.` or `..`.
 */
export function withFolder(context: CommandContext): { readonly context: CommandContext; readonly folder?: string } {
  const { workspace } = context.globals;
  if (!workspace.includes("/") && workspace !== "." && workspace !== "..") return { context };
  // A view of the same context, whose streams are opened only when they are used.
  const globals = { ...context.globals, workspace: DEFAULT_WORKSPACE };
  return { context: Object.create(context, { globals: { value: globals } }), folder: resolve(workspace) };
}

/**
 * Throws CommandFailure where the gateway is on another machine that SSH leads to, or in a container: the folders would be
 * those of the same names over there.
 */
export function refuseFoldersElsewhere(
  folder: string | undefined,
  mounts: readonly TypedMount[],
  { globals, environment }: CommandContext,
): void {
  const flag = folder !== undefined ? "--workspace FOLDER" : mounts.length > 0 ? "--mount" : undefined;
  if (flag === undefined) return;
  const { behindSsh, isInContainer, name } = gatewayTarget(globals, environment);
  const where = behindSsh ? "is on another" : isInContainer ? "sees no folder of it" : undefined;
  if (where === undefined) return;
  throw new CommandFailure(`${flag} holds on this machine alone, and the gateway "${name}" ${where}`, {
    code: "failed_precondition",
    hint: "copy the folder: --upload, and `openshell sandbox download` for what comes of it",
  });
}

export interface TypedMount {
  readonly host: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export function askedFolders(folder: string | undefined, mounts: readonly TypedMount[]): FolderMountJson[] {
  return [
    ...(folder === undefined
      ? []
      : [{ host: folder, target: WORKSPACE, access: "FOLDER_ACCESS_COPY_ON_WRITE" } as const]),
    ...mounts.map(({ host, target, readOnly }) => {
      const access = readOnly ? "FOLDER_ACCESS_READ_ONLY" : "FOLDER_ACCESS_READ_WRITE";
      return { host: resolve(host), target, access } as const;
    }),
  ];
}
