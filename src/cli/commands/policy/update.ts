import { appliedText, applyPolicy } from "../../api/apply-policy.ts";
import { rememberSandbox, sandboxName } from "../../api/last-sandbox.ts";
import { getSandbox, getSandboxConfig } from "../../api/methods.ts";
import { defineCommand } from "../../command.ts";
import { usageFailure } from "../../command-failure.ts";
import { anyText, list, text, toggle, valueOr } from "../../flags/flag.ts";
import { wholeNumber } from "../../flags/meanings.ts";
import { endpointToAdd, endpointToRemove, mergeOperations, requestRule } from "../../flags/merge-operations.ts";
import { structured } from "../../output/structured.ts";

const DEFAULT_TIMEOUT_SECONDS = 60;

export const command = defineCommand({
  name: "update",
  summary: "add or remove single network rules of a running sandbox",
  details:
    "All changes of one command are made together or not at all. Allow and deny rules for an endpoint that the same " +
    "command adds are that endpoint's alone; otherwise every endpoint of the destination gets them.",
  positionals: { name: { kind: "optional", summary: "the sandbox; the one used last if left out" } },
  flags: {
    "add-endpoint": list("allow a destination", endpointToAdd, {
      placeholder: "HOST:PORT[:ACCESS[:PROTOCOL[:ENFORCEMENT]]]",
    }),
    "remove-endpoint": list("allow a destination no longer", endpointToRemove, { placeholder: "HOST:PORT" }),
    "add-allow": list("allow requests to an inspected endpoint", requestRule, { placeholder: "HOST:PORT:METHOD:PATH" }),
    "add-deny": list("deny requests to an inspected endpoint", requestRule, { placeholder: "HOST:PORT:METHOD:PATH" }),
    "remove-rule": list("remove a whole rule", anyText, { placeholder: "NAME" }),
    binary: list("a program that may use the added endpoints; `any` for all", anyText, {
      placeholder: "PATH",
    }),
    "rule-name": text("what to call the added rule", { placeholder: "NAME" }),
    "dry-run": toggle("print the policy as it would become, and change nothing"),
    wait: toggle("return when the sandbox has loaded it"),
    timeout: valueOr("how long to wait, in seconds", wholeNumber(1, 3600), {
      placeholder: "SECONDS",
      initial: DEFAULT_TIMEOUT_SECONDS,
      shownDefault: `${DEFAULT_TIMEOUT_SECONDS}`,
    }),
  },
  examples: [
    {
      typed:
        "openshell policy update demo --add-endpoint api.example.com:443:read-only:rest --binary /usr/bin/curl --wait",
      meaning: "Let curl read from an API",
    },
  ],
  action: async (context, { flags, words }) => {
    if (flags["add-endpoint"].length > 0 && flags.binary.length === 0) {
      throw usageFailure("--add-endpoint needs to know for which programs", "add --binary PATH, or --binary any");
    }
    const ruleName = flags["rule-name"];
    const operations = mergeOperations({
      addEndpoints: flags["add-endpoint"],
      removeEndpoints: flags["remove-endpoint"],
      addAllow: flags["add-allow"],
      addDeny: flags["add-deny"],
      removeRules: flags["remove-rule"],
      binaries: flags.binary,
      ...(ruleName !== undefined && { ruleName }),
    });
    if (operations.length === 0)
      throw usageFailure("there is nothing to change", "see `openshell policy update --help`");
    const gateway = await context.gateway();
    const name = sandboxName(words.name, gateway, context);
    if (flags["dry-run"]) {
      const { metadata } =
        (await gateway.channel.unary(getSandbox, { name, workspace: context.globals.workspace })).sandbox ?? {};
      const { policy } = await gateway.channel.unary(getSandboxConfig, { sandboxId: metadata?.id ?? "" });
      const { mergedDocument } = await import("../../policy-json.ts");
      context.print(await structured("yaml", mergedDocument(policy ?? {}, operations)));
      return 0;
    }
    const waitMs = flags.wait ? flags.timeout * 1000 : 0;
    const applied = await applyPolicy({ name, mergeOperations: operations }, gateway, { context, waitMs });
    rememberSandbox(name, gateway, context);
    context.print(appliedText(name, applied));
    return 0;
  },
});
