import { defineCommand } from "../../command.ts";
import { hostAlias, hostBlock } from "../../ssh/host-settings.ts";
import { openSshHost } from "../../ssh/open-ssh-host.ts";

export const command = defineCommand({
  name: "ssh-config",
  summary: "print the SSH settings for a sandbox",
  details:
    `A block for ~/.ssh/config, or for \`ssh -F\`: the sandbox is then the host \`${hostAlias("NAME")}\` for ssh, scp, ` +
    "sftp, rsync, git and editors. It stays good over restarts of the gateway and of the sandbox.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {},
  examples: [
    { typed: "openshell sandbox ssh-config demo >> ~/.ssh/config", meaning: "Keep them" },
    {
      typed: "openshell sandbox ssh-config demo > demo.ssh && scp -F demo.ssh notes.txt openshell-demo:",
      meaning: "Use them once",
    },
  ],
  action: async (context, { words }) => {
    context.print(hostBlock(await openSshHost(words.name, context), context));
    return 0;
  },
});
