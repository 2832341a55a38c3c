import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { EXIT_FAILURE } from "../../command-failure.ts";
import type { Check, Finding } from "../../doctor/finding.ts";
import { node, tools } from "../../doctor/installation.ts";
import {
  cgroups,
  connectionCapture,
  kernelVersion,
  landlock,
  overlayfs,
  seccomp,
  userNamespaces,
} from "../../doctor/kernel.ts";
import { diskSpace, openFiles, runtimePlace, userRange } from "../../doctor/resources.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { printable } from "../../output/printable.ts";
import { structured } from "../../output/structured.ts";

/** What nothing works without comes first. */
const checks: readonly Check[] = [
  node,
  tools,
  kernelVersion,
  userNamespaces,
  connectionCapture,
  landlock,
  seccomp,
  overlayfs,
  cgroups,
  userRange,
  openFiles,
  runtimePlace,
  diskSpace,
];

export const command = defineCommand({
  name: "check",
  summary: "look at what isolation this machine can give, and how to get more",
  details: "Tries what can be tried. Ends with 1 if a sandbox cannot start here.",
  positionals: {},
  flags: { output: outputFlag },
  examples: [{ typed: "openshell doctor", meaning: "Before the first sandbox, or when one does not start" }],
  action: async (context, { flags }) => {
    const findings: Finding[] = [];
    for (const check of checks) {
      const found = await check(context);
      findings.push(...("name" in found ? [found] : found));
    }
    context.print(flags.output === "table" ? report(findings, context) : await structured(flags.output, findings));
    return findings.some(({ level }) => level === "fail") ? EXIT_FAILURE : 0;
  },
});

function report(findings: readonly Finding[], { style }: CommandContext): string {
  const widest = Math.max(...findings.map(({ name }) => name.length));
  const paint = { ok: style.good, warn: style.warning, fail: style.bad };
  return findings
    .map(({ name, level, finding, remedy }) => {
      const line = `${paint[level](level.toUpperCase().padEnd(4))}  ${name.padEnd(widest)}  ${printable(finding)}\n`;
      return remedy === "" ? line : `${line}${" ".repeat(widest + 8)}→ ${remedy}\n`;
    })
    .join("");
}
