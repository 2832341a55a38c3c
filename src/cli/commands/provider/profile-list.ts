import type { ProviderProfileJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { listProviderProfiles } from "../../api/provider-methods.ts";
import { defineCommand } from "../../command.ts";
import { toggle } from "../../flags/flag.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { structured } from "../../output/structured.ts";
import { table } from "../../output/table.ts";
import { profileDocument } from "../../profile-file.ts";
import { profileScope } from "./profile-scope.ts";

const ALL = 1_000;

export const command = defineCommand({
  name: "list",
  summary: "list the types that a provider can be of",
  positionals: {},
  flags: { output: outputFlag, global: toggle("those of all workspaces only") },
  examples: [{ typed: "openshell provider profile list", meaning: "And the variables that each is found by" }],
  action: async (context, { flags }) => {
    const gateway = await context.gateway();
    const workspace = profileScope(flags, context);
    const { profiles = [] } = await gateway.channel.unary(listProviderProfiles, { limit: ALL, workspace });
    if (flags.output === "table") context.print(table(columns, profiles));
    else context.print(await structured(flags.output, profiles.map(profileDocument)));
    return 0;
  },
});

const columns = [
  { title: "TYPE", cell: ({ id = "" }: ProviderProfileJson) => id },
  { title: "NAME", cell: ({ displayName = "" }: ProviderProfileJson) => displayName },
  { title: "SOURCE", cell: ({ source = "" }: ProviderProfileJson) => source },
  { title: "MODELS", cell: ({ inferenceCapable }: ProviderProfileJson) => (inferenceCapable ? "yes" : "") },
  {
    title: "VARIABLES",
    cell: ({ credentials = [] }: ProviderProfileJson) => credentials.flatMap(({ envVars = [] }) => envVars).join(", "),
  },
];
