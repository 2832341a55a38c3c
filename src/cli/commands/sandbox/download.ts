import { rememberSandbox } from "../../api/last-sandbox.ts";
import { getSandbox } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { sizeText } from "../../transfer/progress.ts";

export const command = defineCommand({
  name: "download",
  summary: "copy a file or a folder out of a sandbox",
  details:
    "With links, modes and times; all of it or nothing. One that was broken off goes on when it is asked for again. Whatever the sandbox sends, nothing is written outside of the copy, " +
    "and links that may lead out of it are left out and told. What is in the files is as trustworthy as what made them.",
  positionals: {
    name: { kind: "required", summary: "the sandbox" },
    path: { kind: "required", summary: "the file or folder in the sandbox; relative ones are in /sandbox" },
    destination: { kind: "optional", summary: "where to on this machine; the current folder if left out" },
  },
  flags: {},
  examples: [
    { typed: "openshell sandbox download demo report.pdf", meaning: "Becomes ./report.pdf" },
    { typed: "openshell sandbox download demo project out/", meaning: "Becomes out/project" },
    { typed: "openshell sandbox download demo project/. out", meaning: "What is in project comes into out" },
  ],
  action: async (context, { words }) => {
    const gateway = await context.gateway();
    const { workspace } = context.globals;
    const { sandbox } = await gateway.channel.unary(getSandbox, { name: words.name, workspace });
    rememberSandbox(words.name, gateway, context);
    const { download } = await import("../../transfer/download.ts");
    const asked = { sandboxId: sandbox?.metadata?.id ?? "", path: words.path, destination: words.destination ?? "." };
    const { files, bytes, leftOut } = await download(asked, { gateway, context });
    context.print(`${files === 1 ? "1 file" : `${files} files`}, ${sizeText(bytes)}\n`);
    if (leftOut === 0) return 0;
    throw new CommandFailure(`${leftOut} links were left out, the rest is copied`, {
      hint: "a link whose target is outside of the copy would lead to this machine's files",
    });
  },
});
