/** The gateway's files of configuration: YAML, checked by a schema, each mistake told with its line. */
import { readFileSync } from "node:fs";
import { formatProblem, type Problem } from "../policy/problem.ts";
import type { Reader } from "../policy/readers.ts";
import type { Tree } from "../policy/tree.ts";
import { parseYamlTree } from "../policy/yaml-tree.ts";

export interface ConfigurationFile<T> {
  readonly written: T;
  /** For the places of what a closer look finds wrong. */
  readonly tree: Tree;
}

/** Undefined where there is no such file. @throws Error with every problem, each with its line */
export function readConfigurationFile<T>(path: string, schema: Reader<T>): ConfigurationFile<T> | undefined {
  const yaml = readIfThere(path);
  if (yaml === undefined) return undefined;
  const parsed = parseYamlTree(yaml);
  if (!parsed.ok) throw new Error(problemText(parsed.problems, path));
  const problems: Problem[] = [];
  const written = schema(parsed.tree, { key: [], problems });
  if (written === undefined || problems.length > 0) throw new Error(problemText(problems, path));
  return { written, tree: parsed.tree };
}

/** A line for each problem. */
export function problemText(problems: readonly Problem[], path: string): string {
  return problems.map((problem) => formatProblem(problem, path)).join("\n");
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
