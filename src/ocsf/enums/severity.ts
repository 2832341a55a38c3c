/** OCSF severities: how much attention an event asks for. */

export type Severity = "informational" | "low" | "medium" | "high" | "critical" | "fatal";

interface SeverityEntry {
  readonly id: number;
  readonly caption: string;
  /** The word in the one-line form for people. */
  readonly short: string;
}

export const severities: Readonly<Record<Severity, SeverityEntry>> = {
  informational: { id: 1, caption: "Informational", short: "INFO" },
  low: { id: 2, caption: "Low", short: "LOW" },
  medium: { id: 3, caption: "Medium", short: "MED" },
  high: { id: 4, caption: "High", short: "HIGH" },
  critical: { id: 5, caption: "Critical", short: "CRIT" },
  fatal: { id: 6, caption: "Fatal", short: "FATAL" },
};

const shortById = new Map(Object.values(severities).map(({ id, short }) => [id, short]));

/** The short word for a severity id, `INFO` for one that the table lacks. */
export function shortSeverity(id: number): string {
  return shortById.get(id) ?? severities.informational.short;
}
