/** Sandboxes of a test: made from a policy written out in the test, and commands in them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finished, Installation } from "./installation.ts";

export interface Sandbox {
  readonly name: string;
  /** Runs a shell script in the sandbox. */
  run(script: string): Promise<Finished>;
  /** Puts another policy in force. */
  setPolicy(policy: string): Promise<Finished>;
}

/** Creates a sandbox without a command and waits until it is ready. `policy` is YAML without its `version`. */
export async function createSandbox(installation: Installation, name: string, policy: string): Promise<Sandbox> {
  const file = writePolicy(installation, name, policy);
  const created = await installation.run(["sandbox", "create", "--name", name, "--policy", file]);
  if (created.code !== 0) throw new Error(`sandbox ${name} was not created: ${created.stderr}`);
  return {
    name,
    run: (script) => installation.run(["sandbox", "exec", "--name", name, "--", "sh", "-c", script]),
    setPolicy: (changed) =>
      installation.run(["policy", "set", name, "--policy", writePolicy(installation, name, changed), "--wait"]),
  };
}

function writePolicy(installation: Installation, name: string, policy: string): string {
  const file = join(installation.home, `${name}.yaml`);
  writeFileSync(file, `version: 1\n${policy}`);
  return file;
}
