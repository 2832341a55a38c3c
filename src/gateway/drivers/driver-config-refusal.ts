import type { ConnectError } from "@connectrpc/connect";
import { formatProblem, type Problem } from "../../policy/problem.ts";
import { invalid } from "../refuse.ts";

/** INVALID_ARGUMENT with all that is wrong with the `driver_config` of a sandbox's template. */
export function driverConfigRefusal(problems: readonly Problem[]): ConnectError {
  const said = problems.map((problem) => formatProblem(problem).replace(/^error: /, ""));
  return invalid(`driver config: ${said.join("; ")}`);
}
