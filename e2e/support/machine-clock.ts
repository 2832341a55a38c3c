/**
 * A clock of the machine that a test sets while programs run: libfaketime (Debian's package faketime) adds to what the
 * kernel says, by a file that it reads each time. Timers and the monotonic clock go on as they are, as with the real thing.
 *
 * Of a gateway that is root also the supervisors have it: the last program of their chain, setpriv, is found by the gateway's
 * PATH. Not an earlier one: libfaketime can't be used by two users in one process.
 */
import { chmodSync, globSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Installation, Running } from "./installation.ts";
import { world } from "./world.ts";

const library = globSync("/usr/lib/*/faketime/libfaketime.so.1")[0];

/** For a test: why it is left out, if it is. */
export const withMachineClock = library === undefined ? { skip: "faketime is not installed" } : {};

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface MachineClock {
  /** What a program needs in its environment to go by this clock. */
  readonly environment: Readonly<Record<string, string>>;
  /** How many hours it is ahead from now on; below 0: behind. */
  set(hours: number): void;
  /** Before a command in a shell of a sandbox, where the file is not seen: it goes by what the clock is at now. */
  readonly inside: string;
  /** Starts a gateway in the foreground, which has the clock, and its supervisors; waits until it answers. */
  startGateway(installation: Installation): Promise<Running>;
}

/** A clock that is right to begin with. */
export function machineClock(): MachineClock {
  const directory = mkdtempSync(join(world().directory, "clock-"));
  chmodSync(directory, 0o755);
  const file = join(directory, "offset");
  let offset = "";
  const set = (hours: number): void => {
    offset = `${hours < 0 ? "" : "+"}${hours}h`;
    writeFileSync(`${file}.new`, `${offset}\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  const environment = {
    LD_PRELOAD: library ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  const wrapper = join(directory, "setpriv");
  writeFileSync(wrapper, setprivWith(environment));
  chmodSync(wrapper, 0o755);
  return {
    environment,
    set,
    get inside() {
      return `env LD_PRELOAD=${library} FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME=${offset}`;
    },
    async startGateway({ startProgram }) {
      const node = globSync(join(world().packageDirectory, "node_modules/node-linux-*/bin/node"))[0] ?? "";
      const gateway = startProgram([node, join(world().packageDirectory, "dist/gateway.cjs"), "--foreground"], {
        env: { ...environment, PATH: `${directory}:${usualPath}` },
        timeout: 200_000,
      });
      let said = "";
      await new Promise<void>((resolve, reject) => {
        gateway.stderr.on("data", (text: Buffer) => {
          said += text.toString();
          if (said.includes("listens on https")) resolve();
        });
        void gateway.finished.then(() => reject(new Error(`the gateway has ended: ${said}`)));
      });
      return gateway;
    },
  };
}

/** Gives what it starts these variables. */
function setprivWith(environment: Readonly<Record<string, string>>): string {
  const variables = Object.entries(environment).map(([name, value]) => `'${name}=${value}'`);
  return `#!/bin/sh
for word in "$@"; do
  shift
  set -- "$@" "$word"
  [ "$word" != -- ] || set -- "$@" /usr/bin/env ${variables.join(" ")}
done
exec /usr/bin/setpriv "$@"
`;
}
