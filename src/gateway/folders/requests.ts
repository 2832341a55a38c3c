/** The folders of a sandbox's specification, as the driver is asked for them. */
import { FolderAccess, type FolderMount, type SandboxSpec } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { FolderRequest } from "../drivers/driver.ts";

/** Where programs start in a sandbox without a workspace. */
const HOME = "/sandbox";

const accesses: Readonly<Record<FolderAccess, FolderRequest["access"] | undefined>> = {
  [FolderAccess.UNSPECIFIED]: undefined,
  [FolderAccess.COPY_ON_WRITE]: "copy-on-write",
  [FolderAccess.READ_ONLY]: "read-only",
  [FolderAccess.READ_WRITE]: "read-write",
};

/** One that says no access is none; check-folders.ts lets no such into a record. */
export function folderRequests({ folders }: SandboxSpec): FolderRequest[] {
  return folders.flatMap(({ host, target, access: typed }) => {
    const access = accesses[typed];
    return access === undefined ? [] : [{ host, target, access }];
  });
}

/** The folder that the sandbox works on a view of, if it has one. */
export function workspaceFolder({ folders }: SandboxSpec): FolderMount | undefined {
  return folders.find(({ access }) => access === FolderAccess.COPY_ON_WRITE);
}

/** Where programs start. */
export function workdirOf(spec: SandboxSpec): string {
  return workspaceFolder(spec)?.target ?? HOME;
}
