/**
 * Python packages for tests that drive programs of other people's: what `requirements.txt` beside a test names
 * (`NAME.requirements.txt` for `NAME.test.ts`) is installed outside the world, by the machine's pip from whichever index that
 * is set to, into the directory that the worlds of a run have theirs in.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { world } from "./world.ts";

const directoryName = "python";
const failureName = "python.failed";

/** Outside: installs what the tests ask for. Where that fails, the tests will say why. */
export function installPythonPackages(directory: string, tests: readonly string[]): void {
  const wanted = tests.map((test) => test.replace(/test\.ts$/, "requirements.txt")).filter((file) => existsSync(file));
  if (wanted.length === 0) return;
  const install = ["-m", "pip", "install", "--quiet", "--target", join(directory, directoryName)];
  const requirements = wanted.flatMap((file) => ["--requirement", file]);
  const { status, stderr, error } = spawnSync("/usr/bin/python3", [...install, ...requirements], { encoding: "utf8" });
  if (status !== 0) writeFileSync(join(directory, failureName), error?.message ?? stderr);
}

/** Inside: what to set PYTHONPATH to. Throws with what pip said where it could not install: it needs an index and `python3-pip`. */
export function pythonPackages(): string {
  const directory = dirname(world().directory);
  const failure = join(directory, failureName);
  if (existsSync(failure))
    throw new Error(`pip could not install the test's packages: ${readFileSync(failure, "utf8")}`);
  return join(directory, directoryName);
}
