import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { RpcError } from "../../api/rpc-error.ts";
import { idOrName } from "../../api/sandbox-id.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { execSession, terminalByDefault } from "../../exec-session.ts";
import { list, text, toggle, valueOr } from "../../flags/flag.ts";
import { environmentVariable, wholeNumber } from "../../flags/meanings.ts";

export const command = defineCommand({
  name: "exec",
  summary: "run a command in a sandbox",
  details:
    "Standard input, output and error stay apart; the exit code is the command's, or 128 and the number of the signal " +
    "that ended it. A terminal is given when both input and output are one, or with --tty. With --detach the command runs " +
    "on without input, and its id is printed: `openshell sandbox command` shows its output and its exit code.",
  positionals: { command: { kind: "rest", summary: "the command and its arguments" } },
  flags: {
    name: text("the sandbox, also as a word before `--`; the one used last if left out", {
      short: "n",
      placeholder: "NAME",
      beforeDashes: true,
    }),
    workdir: text("directory to start in", { placeholder: "PATH" }),
    timeout: valueOr("end the command after so many seconds; 0: never", wholeNumber(0, 0xffff_ffff), {
      placeholder: "SECONDS",
      initial: 0,
      shownDefault: "0",
    }),
    tty: toggle("give the command a terminal, or not", { negatable: true }),
    detach: toggle("let the command run without this program, and print its id"),
    env: list("set a variable for the command", environmentVariable, { placeholder: "K=V" }),
  },
  examples: [
    { typed: "openshell sandbox exec -n demo -- git status", meaning: "Run a command" },
    { typed: "openshell sandbox exec demo -- sh -c 'cat > notes.txt' < notes.txt", meaning: "Give it input" },
    {
      typed:
        "id=$(openshell sandbox exec -n demo --detach -- make test) && openshell sandbox command attach $id -n demo",
      meaning: "Let it run by itself, and look at it later",
    },
  ],
  action: async (context, { flags, words }) => {
    const line = words.command;
    if (line.length === 0)
      throw usageFailure("there is no command to run", "openshell sandbox exec -n NAME -- COMMAND …");
    const gateway = await context.gateway();
    const name = sandboxName(flags.name, gateway, context);
    const request = {
      sandboxId: await idOrName(name, context.globals.workspace, gateway),
      command: line,
      ...(flags.workdir !== undefined && { workdir: flags.workdir }),
      environment: Object.fromEntries(flags.env),
      timeoutSeconds: flags.timeout,
      tty: flags.tty ?? (!flags.detach && terminalByDefault(context)),
      ...(flags.detach && { detach: true }),
    };
    let exists = true;
    try {
      return await execSession(request, gateway, context);
    } catch (error) {
      exists = !(error instanceof RpcError && error.code === "not_found");
      throw error;
    } finally {
      if (exists) rememberSandbox(name, gateway, context);
    }
  },
});
