import { rememberSandbox } from "../../api/last-sandbox.ts";
import { getSandbox } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { sizeText } from "../../transfer/progress.ts";

export const command = defineCommand({
  name: "upload",
  summary: "copy a file or a folder into a sandbox",
  details:
    "With links, modes and times; all of it or nothing. One that was broken off goes on when it is asked for again. Files that git ignores stay here. A destination that is a folder, " +
    "or ends in /, gets the copy inside; any other is the copy's name. `FOLDER/.` copies what is in the folder.",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    local: { kind: "required", summary: "the file or folder on this machine" },
    destination: { kind: "optional", summary: "where to in the sandbox; its working directory, /sandbox, if left out" },
  },
  flags: { "no-git-ignore": toggle("copy what git ignores, and the repository's own .git, too") },
  examples: [
    { typed: "openshell sandbox upload demo ./src", meaning: "Becomes /sandbox/src, merged into what is there" },
    { typed: "openshell sandbox upload demo notes.txt /tmp/", meaning: "Becomes /tmp/notes.txt" },
    { typed: "openshell sandbox upload demo . /sandbox/project --no-git-ignore", meaning: "A whole repository" },
  ],
  action: async (context, { flags, words }) => {
    const { upload, uploadSource } = await import("../../transfer/upload.ts");
    const source = await uploadSource({ local: words.local, gitIgnore: flags["no-git-ignore"] !== true }, context);
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const { sandbox } = await gateway.channel.unary(getSandbox, { name: words.name, workspace });
    rememberSandbox(words.name, gateway, context);
    const where = { sandboxId: sandbox?.metadata?.id ?? "", destination: words.destination ?? "." };
    const { files, bytes } = await upload(source, where, { gateway, context });
    context.print(`${files === 1 ? "1 file" : `${files} files`}, ${sizeText(bytes)}\n`);
    return 0;
  },
});
