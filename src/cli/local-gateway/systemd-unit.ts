/** A systemd user unit for the gateway; systemd.service(5), systemd.resource-control(5). */
import type { Environment, Installation } from "../command-context.ts";

/** Where the gateway keeps and finds its files: a session may have other places than the user's service manager. */
const PASSED_ON = ["XDG_CONFIG_HOME", "XDG_STATE_HOME"];

/** The unit's text. */
export function systemdUnit(
  { node, gatewayProgram }: Pick<Installation, "node" | "gatewayProgram">,
  environment: Environment,
): string {
  const variables = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value ? [`Environment=${quoted(`${name}=${value}`)}`] : [];
  });
  return [
    "[Unit]",
    "Description=OpenShell gateway: sandboxes for AI agents",
    "",
    "[Service]",
    // The program goes on in the foreground, and writes its log to standard error: `journalctl --user` has it.
    "Type=exec",
    `ExecStart=${[node, gatewayProgram].map(commandWord).join(" ")} --foreground`,
    ...variables,
    // Sandboxes go on when the gateway stops; each is ended by its own supervisor.
    "KillMode=process",
    // What lets a gateway without privilege limit processors and memory.
    "Delegate=cpu memory pids",
    "Restart=on-failure",
    "",
    "[Install]",
    "WantedBy=default.target",
    "",
  ].join("\n");
}

/** A word of a unit file: quoted, with nothing in it that systemd would replace. */
function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`;
}

/** In a command line, variables are replaced as well. */
function commandWord(word: string): string {
  return quoted(word).replaceAll("$", () => "$$");
}
