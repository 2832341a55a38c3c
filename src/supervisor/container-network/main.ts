/**
 * Prepares a sandbox's container before anything runs in it: its network, as in launch-script.ts, and its home's owner.
 * Run once for each start, in a container of its own that shares that network and is gone afterwards: the agent's never has
 * the capability that this takes. Its arguments are the home, the user's number and the group's.
 */
import { chownSync } from "node:fs";
import { captureRules, linkCommands, linkCommands6 } from "../sandbox/capture-rules.ts";
import { hasIpv6, runTool } from "./run-tool.ts";

const [home = "", uid, gid] = process.argv.slice(2);
try {
  chownSync(home, Number(uid), Number(gid));
  runTool("ip", ["-batch", "-"], linkCommands);
  if (hasIpv6()) runTool("ip", ["-batch", "-"], linkCommands6);
  runTool("nft", ["-f", "-"], captureRules);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
