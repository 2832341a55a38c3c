/**
 * What a supervisor needs of this package. A gateway that is root runs supervisors as uids that may not enter the
 * directory of the package (below /root, say), so it shows them these parts at a fixed place.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The terminal library and its native part, which are not in the bundle. */
const NATIVE_PACKAGES = ["@lydell/node-pty", `@lydell/node-pty-linux-${process.arch}`];

/** A file or directory of the machine, and where in the view it is shown. */
export interface ViewItem {
  readonly source: string;
  readonly target: string;
  readonly isFile: boolean;
}

/** The items for a supervisor whose program is `entry`, and how it is started in the view. */
export function packageView(entry: string): {
  readonly items: readonly ViewItem[];
  readonly command: readonly string[];
} {
  const programs = dirname(entry);
  const items: ViewItem[] = [
    { source: programs, target: "dist", isFile: false },
    { source: process.execPath, target: "bin/node", isFile: true },
  ];
  for (const name of NATIVE_PACKAGES) {
    const source = findPackage(programs, name);
    if (source !== undefined) items.push({ source, target: join("node_modules", name), isFile: false });
  }
  return { items, command: ["bin/node", join("dist", entry.slice(programs.length + 1))] };
}

/** Node's own rule: `node_modules` here, else in the parent, up to the root. */
function findPackage(from: string, name: string): string | undefined {
  const path = join(from, "node_modules", name);
  if (existsSync(path)) return path;
  return dirname(from) === from ? undefined : findPackage(dirname(from), name);
}
