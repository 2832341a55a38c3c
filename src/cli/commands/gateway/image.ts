import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { VERSION } from "../../../version.ts";
import { defineCommand } from "../../command.ts";
import { CommandFailure } from "../../command-failure.ts";
import { valueOr } from "../../flags/flag.ts";
import { imageName } from "../../flags/meanings.ts";

export const command = defineCommand({
  name: "image",
  summary: "write the image that gateways and supervisors run in, for a cluster, to a file",
  details:
    "Made of this installation, and of the authorities that this machine trusts; nothing is downloaded. In the form of " +
    "`docker save`: load it into a registry that the cluster's nodes pull from, or into the nodes themselves.",
  positionals: { file: { kind: "required", summary: "the file to write; it must not exist" } },
  flags: {
    name: valueOr("what the image is called in there", imageName, {
      placeholder: "IMAGE",
      initial: `localhost/openshell:${VERSION}`,
      shownDefault: "localhost/openshell:VERSION",
    }),
  },
  examples: [
    {
      typed: "openshell gateway image openshell.tar",
      meaning: "For `docker load`, or `ctr --namespace k8s.io images import`",
    },
    {
      typed: "openshell gateway image openshell.tar --name registry.example.com/openshell:1",
      meaning: "For a registry: `skopeo copy docker-archive:openshell.tar docker://registry.example.com/openshell:1`",
    },
  ],
  action: async (context, { words, flags }) => {
    const { writeRuntimeImage } = await import("../../../engine/image-archive.ts");
    const file = resolve(words.file);
    const supervisor = join(dirname(context.installation.gatewayProgram), "supervisor.cjs");
    if (existsSync(file)) throw new CommandFailure(`${file} exists already`, { hint: "name a file that does not" });
    await writeRuntimeImage(file, supervisor, flags.name).catch((error: NodeJS.ErrnoException) => {
      throw error.code === undefined ? error : new CommandFailure(`${file} can't be written: ${error.message}`);
    });
    context.print(`${file}\n`);
    return 0;
  },
});
