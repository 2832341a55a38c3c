import type { DatabaseSync } from "node:sqlite";
import { HOUR_MS, KEPT_USAGE_MS, type UsageStore, usageSum } from "../usage-store.ts";
import { inTransaction } from "./database.ts";

/** Sums of usage in SQLite. */
export function sqliteUsage(database: DatabaseSync): UsageStore {
  const add = database.prepare(
    `INSERT INTO inference_usage VALUES ($hour, $workspace, $sandbox, $route, $provider, $model, 1, $failures, $input, $output)
     ON CONFLICT DO UPDATE SET calls = calls + 1, failures = failures + $failures,
       input_tokens = input_tokens + $input, output_tokens = output_tokens + $output`,
  );
  const forget = database.prepare("DELETE FROM inference_usage WHERE hour_ms < ?");
  const sum = database.prepare(
    `SELECT sandbox_name, route, provider, model, sum(calls) AS calls, sum(failures) AS failures,
       sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens
     FROM inference_usage WHERE workspace = ? AND hour_ms > ? GROUP BY sandbox_name, route, provider, model
     ORDER BY sum(input_tokens + output_tokens) DESC, sandbox_name, route, model`,
  );
  return {
    async add(calls) {
      if (calls.length === 0) return;
      inTransaction(database, () => {
        for (const { workspace, sandboxName, route, provider, model, ...call } of calls) {
          add.run({
            $hour: call.atMs - (call.atMs % HOUR_MS),
            $workspace: workspace,
            $sandbox: sandboxName,
            $route: route,
            $provider: provider,
            $model: model,
            $failures: call.isFailure ? 1 : 0,
            $input: call.inputTokens,
            $output: call.outputTokens,
          });
          forget.run(call.atMs - KEPT_USAGE_MS);
        }
      });
    },
    async sum(workspace, sinceMs) {
      return sum.all(workspace, sinceMs - HOUR_MS).map((row) => usageSum(workspace, row));
    },
  };
}
