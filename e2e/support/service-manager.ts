/**
 * A user's own systemd, as a login starts it on a machine that runs systemd: `systemctl --user` finds it in XDG_RUNTIME_DIR.
 * Both run in a mount namespace that looks as such a machine does, with control groups of version 2 of its own.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { eventually } from "./eventually.ts";
import type { Installation } from "./installation.ts";
import { type tester, world } from "./world.ts";

const manager = "/lib/systemd/systemd";

/**
 * systemd asks for /run/systemd/system before anything else; sd_booted(3). What it has started goes with its groups, which
 * the kernel keeps until somebody removes them.
 */
const script = `
set -e
mount -t tmpfs none /run
mkdir -p /run/systemd/system
mount -t cgroup2 none /sys/fs/cgroup
group=/sys/fs/cgroup/openshell-e2e-$$
mkdir "$group"
chown -R "$1:$2" "$group"
echo $$ >"$group/cgroup.procs"
setpriv --reuid "$1" --regid "$2" --clear-groups ${manager} --user &
trap 'kill $!' TERM
wait $! || wait $! || true
echo $$ >/sys/fs/cgroup/cgroup.procs
echo 1 >"$group/cgroup.kill"
while ! find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.1; done
`;

export interface ServiceManager extends AsyncDisposable {
  /** `systemctl --user WORDS…`, which must succeed. Gives what it printed. */
  systemctl(...words: string[]): Promise<string>;
}

/** For a test that needs one: the reason to leave it out, or none. */
export function withServiceManager(): { readonly skip?: string } {
  const reason = whyNone();
  return reason === undefined ? {} : { skip: `there is no systemd to start: ${reason}` };
}

function whyNone(): string | undefined {
  if (!existsSync(manager)) return "it is not installed";
  if (!world().hasUsers) return "only root has users to start it for";
  const { status } = spawnSync("unshare", ["--mount", "mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"]);
  return status === 0 ? undefined : "control groups of version 2 can't be mounted";
}

/** The service manager of the installation's user. */
export async function startServiceManager(installation: Installation, user: typeof tester): Promise<ServiceManager> {
  const env = { PATH: process.env["PATH"], HOME: installation.home, XDG_RUNTIME_DIR: `${installation.home}/run` };
  const words = ["--mount", "--propagation", "private", "sh", "-c", script, "sh", `${user.uid}`, `${user.gid}`];
  const child = spawn("unshare", words, { env, stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(child, "exit");
  const asUser = ["setpriv", "--reuid", `${user.uid}`, "--regid", `${user.gid}`, "--clear-groups"];
  const systemctl = async (...words: string[]) => {
    const command = ["--mount", `--target=${child.pid}`, ...asUser, "systemctl", "--user", ...words];
    const { stdout } = await promisify(execFile)("nsenter", command, { env });
    return stdout;
  };
  await eventually(() => systemctl("is-system-running"));
  return {
    systemctl,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
