import type { FileStateJson } from "../../gen/openshell/v1/review_pb.ts";
import { type FileState, kindOf } from "../../workspace/file-state.ts";

/** What the gateway says of a file; ProtoJSON leaves out what is zero or empty. */
export function fileState(state: FileStateJson | undefined): FileState | undefined {
  if (state === undefined) return undefined;
  const { mode = 0, size = "0", mtimeNs = "0", inode = "0", linkTarget = "" } = state;
  return {
    kind: kindOf(mode),
    mode,
    size: Number(size),
    mtimeNs: BigInt(mtimeNs),
    inode: BigInt(inode),
    linkTarget,
  };
}
