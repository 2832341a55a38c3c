/** What the audit log says of system calls that were refused. */
import type { DetectionFinding } from "../../src/ocsf/classes/detection-finding.ts";
import type { Installation } from "./installation.ts";

/** The findings about calls of a program (the beginning of its path). */
export function findings(installation: Installation, program: string): DetectionFinding[] {
  return installation
    .events()
    .filter((event) => event.class_uid === 2004)
    .filter(({ actor }) => actor?.process.path.startsWith(program));
}

/** What a program was refused, each once. */
export function attempts(installation: Installation, program: string): string[] {
  const operations = findings(installation, program).flatMap(({ evidences = [] }) => evidences);
  return [...new Set(operations.map(({ api }) => api.operation))].toSorted();
}
