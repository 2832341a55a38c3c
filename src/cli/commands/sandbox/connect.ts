import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { execSession, terminalByDefault } from "../../exec-session.ts";
import { value } from "../../flags/flag.ts";
import { oneOf } from "../../flags/meanings.ts";
import { openInEditor } from "../../ssh/editor.ts";
import { type EditorName, editorNames } from "../../ssh/editors.ts";
import { findSsh, sshLoginShell } from "../../ssh/login-shell.ts";
import { openSshHost } from "../../ssh/open-ssh-host.ts";

export const command = defineCommand({
  name: "connect",
  summary: "open a login shell in a sandbox, or an editor",
  details:
    "Over OpenSSH, without a question: `ssh-config` has the settings for other programs. Where there is no `ssh`, the " +
    "shell is the same by way of `sandbox exec`.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    editor: value("open it in an editor instead: vscode, cursor", oneOf(editorNames), { placeholder: "EDITOR" }),
  },
  examples: [
    { typed: "openshell sandbox connect demo", meaning: "Look around; `exit` leaves" },
    { typed: "openshell sandbox connect demo --editor vscode", meaning: "Work in it with an editor" },
  ],
  action: async (context, { flags, words }) => {
    const editor: EditorName | undefined = flags.editor;
    if (editor === undefined && !terminalByDefault(context)) {
      throw usageFailure("a login shell needs a terminal", "for scripts: openshell sandbox exec -n NAME -- COMMAND …");
    }
    const host = await openSshHost(words.name, context);
    if (editor !== undefined) return openInEditor(editor, host, context);
    const ssh = findSsh(context);
    if (ssh !== undefined) return await sshLoginShell(ssh, host, context);
    context.note(
      "note: this machine has no `ssh` (package openssh-client); this shell is the same, without its escapes",
    );
    return await shellByExec(host.sandboxId, context);
  },
});

/** No command means a login shell. */
async function shellByExec(sandboxId: string, context: CommandContext): Promise<number> {
  return await execSession({ sandboxId, command: [], tty: true }, await context.gateway(), context);
}
