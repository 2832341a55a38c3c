/** Whose gateway a story is told with: isolation must be the same whoever runs it. */
import type { InstallationOptions } from "./installation.ts";
import { tester, world } from "./world.ts";

/** A gateway that is root, and an ordinary user's; the latter is all there is in a world that an ordinary user made. */
export const eachUser: readonly (readonly [who: string, options: InstallationOptions])[] = world().hasUsers
  ? [
      ["root", {}],
      ["an ordinary user", { user: tester }],
    ]
  : [["an ordinary user", {}]];
