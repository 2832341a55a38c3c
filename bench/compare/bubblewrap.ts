/** bubblewrap by itself: the least that a sandbox of namespaces can cost. */
import { runSilently } from "../support/command.ts";
import type { Contender } from "../support/interleave.ts";

const BARE = ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];

/** `bwrap --unshare-all … true` */
export const bubblewrap: Contender = {
  name: "bwrap --unshare-all … true",
  once: () => runSilently({ file: "bwrap", args: [...BARE, "true"] }),
};
