/**
 * One supervisor, one sandbox. Waits for its orders, builds the sandbox, is its only door, and goes when the sandbox goes.
 * Runs as an ordinary user, outside of the sandbox's namespaces.
 */
import { closeOthersOnExec } from "../linux/descriptors.ts";
import { readLaunchSpec } from "./read-launch-spec.ts";
import { superviseSandbox } from "./supervise-sandbox.ts";

process.title = "openshell-supervisor";
closeOthersOnExec();
const spec = await readLaunchSpec(process.stdin);
if (spec) process.exitCode = await superviseSandbox(spec);
process.exit();
