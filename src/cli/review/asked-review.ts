/** Whose changes are meant, and which of them: `[NAME] [PATH…] [--include-git]`. */
import { posix } from "node:path";
import type { Gateway } from "../api/gateway.ts";
import { sandboxName } from "../api/last-sandbox.ts";
import type { CommandContext } from "../command-context.ts";
import { usageFailure } from "../command-failure.ts";
import { toggle } from "../flags/flag.ts";
import { resourceName } from "../flags/meanings.ts";

export const reviewWords = {
  name: { kind: "optional", summary: "the sandbox; the one used last if left out" },
  paths: { kind: "many", summary: "only these files and folders of the workspace; everything if left out" },
} as const;

export const includeGit = toggle("also what is in .git; without it, only what is named by its path there");

export interface AskedReview {
  readonly name: string;
  readonly workspace: string;
  /** Relative to the folder. */
  readonly paths: readonly string[];
}

/** What can't be a sandbox's name is a path: `./src` is one even where there is a sandbox called `src`. */
export function askedReview(
  words: { readonly name: string | undefined; readonly paths: readonly string[] },
  gateway: Gateway,
  context: CommandContext,
): AskedReview {
  const isName = words.name === undefined || resourceName(words.name).ok;
  const paths = isName ? words.paths : [words.name ?? "", ...words.paths];
  return {
    name: sandboxName(isName ? words.name : undefined, gateway, context),
    workspace: context.globals.workspace,
    paths: paths.map(relativePath).filter((path) => path !== "."),
  };
}

function relativePath(typed: string): string {
  const path = posix.normalize(typed).replace(/\/$/, "");
  if (path === ".." || path.startsWith("../") || path.startsWith("/")) {
    throw usageFailure(`"${typed}" must be a path in the workspace, relative to it`);
  }
  return path;
}
