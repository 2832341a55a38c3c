/** What is wrong with a policy, and where: for people who have to mend the file. */

/** Position in a text; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Keys and list positions from the top of the policy: `["network_policies", "github", "endpoints", 0, "port"]`. */
export type KeyPath = readonly (string | number)[];

export interface Problem {
  /** An error keeps the policy from loading; a warning does not. */
  readonly severity: "error" | "warning";
  readonly key: KeyPath;
  /** What is wrong and what would be right, without a full stop. */
  readonly message: string;
  /** Absent when the policy did not come from a text. */
  readonly place?: Place;
}

/** `network_policies.github.endpoints[0].port` */
export function formatKey(key: KeyPath): string {
  return key
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`))
    .join("");
}

/** One line: `policy.yaml:4:7: error: network_policies.github.endpoints[0].port: must be …`. */
export function formatProblem(problem: Problem, file?: string): string {
  const place = problem.place === undefined ? "" : `${problem.place.line}:${problem.place.column}:`;
  const where = file === undefined ? place : `${file}:${place}`;
  const key = problem.key.length === 0 ? "" : `${formatKey(problem.key)}: `;
  return `${where === "" ? "" : `${where} `}${problem.severity}: ${key}${problem.message}`;
}

/** The field `place`, or no field where there is none. */
export function placeInfo(place: Place | undefined): { readonly place?: Place } {
  return place === undefined ? {} : { place };
}
