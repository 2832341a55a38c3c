import type { ProviderProfileDiagnosticJson } from "../../../gen/openshell/v1/provider_pb.ts";
import type { CommandContext } from "../../command-context.ts";
import { CommandFailure } from "../../command-failure.ts";

/** Notes the warnings. Throws CommandFailure with the errors, if there are any. */
export function tellDiagnostics(
  diagnostics: readonly ProviderProfileDiagnosticJson[],
  { note }: Pick<CommandContext, "note">,
): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  for (const diagnostic of diagnostics) if (diagnostic.severity !== "error") note(`warning: ${sentence(diagnostic)}`);
  if (errors.length === 0) return;
  const shown = errors.map((diagnostic) => `\n  ${sentence(diagnostic)}`).join("");
  throw new CommandFailure(`nothing was changed, since there are errors:${shown}`, { code: "invalid_argument" });
}

function sentence({ source, profileId, field, message }: ProviderProfileDiagnosticJson): string {
  return `${source || profileId}: ${field}: ${message}`;
}
