/** What was used of models: sums by the hour, which stay when the sandbox and its log have gone. */

export const HOUR_MS = 3_600_000;
/** Longer than any bill is looked at; then sums are forgotten, so that they do not grow for ever. */
export const KEPT_USAGE_MS = 400 * 24 * HOUR_MS;

/** One call to a model. */
export interface CallUsage extends UsageKey {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly isFailure: boolean;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What is summed up apart. */
export interface UsageKey {
  readonly workspace: string;
  readonly sandboxName: string;
  readonly route: string;
  readonly provider: string;
  readonly model: string;
}

export interface UsageSum extends UsageKey {
  readonly calls: number;
  readonly failures: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A sum as either database gives it: both name their columns alike. */
export function usageSum(workspace: string, row: Readonly<Record<string, unknown>>): UsageSum {
  return {
    workspace,
    sandboxName: String(row["sandbox_name"]),
    route: String(row["route"]),
    provider: String(row["provider"]),
    model: String(row["model"]),
    calls: Number(row["calls"]),
    failures: Number(row["failures"]),
    inputTokens: Number(row["input_tokens"]),
    outputTokens: Number(row["output_tokens"]),
  };
}

export interface UsageStore {
  add(calls: readonly CallUsage[]): Promise<void>;
  /** Of a workspace, and of all hours that end after `sinceMs`; those that used most first. */
  sum(workspace: string, sinceMs: number): Promise<UsageSum[]>;
}
