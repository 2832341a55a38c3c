import { HOUR_MS, KEPT_USAGE_MS, type UsageStore, usageSum } from "../usage-store.ts";
import type { PostgresDatabase } from "./database.ts";

/** Sums of usage in PostgreSQL. */
export function postgresUsage(database: PostgresDatabase): UsageStore {
  return {
    async add(calls) {
      if (calls.length === 0) return;
      await database.transaction(async ({ changes }) => {
        for (const { workspace, sandboxName, route, provider, model, ...call } of calls) {
          await changes(
            `INSERT INTO inference_usage AS sums (hour_ms, workspace, sandbox_name, route, provider, model, calls, failures,
               input_tokens, output_tokens)
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9)
             ON CONFLICT (hour_ms, workspace, sandbox_name, route, provider, model) DO UPDATE SET
               calls = sums.calls + 1, failures = sums.failures + excluded.failures,
               input_tokens = sums.input_tokens + excluded.input_tokens,
               output_tokens = sums.output_tokens + excluded.output_tokens`,
            [
              call.atMs - (call.atMs % HOUR_MS),
              workspace,
              sandboxName,
              route,
              provider,
              model,
              call.isFailure ? 1 : 0,
              call.inputTokens,
              call.outputTokens,
            ],
          );
        }
        const newest = Math.max(...calls.map(({ atMs }) => atMs));
        await changes("DELETE FROM inference_usage WHERE hour_ms < $1", [newest - KEPT_USAGE_MS]);
      });
    },
    async sum(workspace, sinceMs) {
      const rows = await database.rows(
        `SELECT sandbox_name, route, provider, model, sum(calls) AS calls, sum(failures) AS failures,
           sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
         FROM inference_usage WHERE workspace = $1 AND hour_ms > $2 GROUP BY sandbox_name, route, provider, model
         ORDER BY sum(input_tokens + output_tokens) DESC, sandbox_name, route, model`,
        [workspace, sinceMs - HOUR_MS],
      );
      return rows.map((row) => usageSum(workspace, row));
    },
  };
}
