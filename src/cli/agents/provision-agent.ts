/** Puts an agent's files into a sandbox's home, and the agent itself where the machine has none. */
import type { SandboxJson } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { Gateway } from "../api/gateway.ts";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { capturedSession } from "./captured-session.ts";
import { installAgent } from "./install-agent.ts";
import type { AgentPlan } from "./plan-agent.ts";

/**
 * Writes the files that are not there (`$2` its path in the home, `$3` its text, and so on), then prints a line each:
 * where the command `$1` is, where npm is, and which program node really is; empty for what is missing.
 */
const script = `
set -eu
agent=$1
shift
while [ $# -gt 0 ]; do
  file=$HOME/$1
  if [ ! -e "$file" ]; then
    mkdir -p "$(dirname "$file")"
    printf %s "$2" > "$file"
  fi
  shift 2
done
command -v "$agent" || echo
command -v npm || echo
readlink -f "$(command -v node)" || echo
`;

/** Throws CommandFailure for an agent that could not be installed; no rule of the installation's is left then either. */
export async function provisionAgent(
  { agent, files = {} }: AgentPlan,
  sandbox: SandboxJson,
  { gateway, context }: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<void> {
  const sandboxId = sandbox.metadata?.id ?? "";
  const command = ["sh", "-c", script, "sh", agent.command, ...Object.entries(files).flat()];
  const { exitCode, stdout, stderr } = await capturedSession({ sandboxId, command }, gateway, context);
  if (exitCode !== 0) {
    throw new CommandFailure(`${agent.command} could not be set up in the sandbox's home: ${stderr.trim()}`);
  }
  const [path = "", npm = "", node = ""] = stdout.split("\n");
  if (path !== "") return;
  if (npm === "" || node === "") {
    throw new CommandFailure(`${agent.command} is not installed, and the sandbox has no npm to install it with`, {
      code: "failed_precondition",
      hint: "sandboxes see the programs below /usr and /opt: install Node and npm there, or the agent itself",
    });
  }
  await installAgent(agent, sandbox, { gateway, context, node });
}
