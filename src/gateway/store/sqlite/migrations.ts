import type { Migration } from "./migrate.ts";

/** The state database: what must never be lost. */
export const stateMigrations: readonly Migration[] = [
  `CREATE TABLE sandboxes (
     id TEXT PRIMARY KEY,
     workspace TEXT NOT NULL,
     name TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     labels TEXT NOT NULL,
     annotations TEXT NOT NULL,
     resource_version INTEGER NOT NULL,
     desired TEXT NOT NULL,
     spec BLOB NOT NULL,
     status BLOB NOT NULL,
     token_hash BLOB NOT NULL,
     host_uid INTEGER UNIQUE,
     supervisor TEXT,
     UNIQUE (workspace, name)
   ) STRICT;
   CREATE TABLE policy_revisions (
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     version INTEGER NOT NULL,
     hash TEXT NOT NULL,
     policy BLOB NOT NULL,
     status INTEGER NOT NULL,
     load_error TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     loaded_at_ms INTEGER NOT NULL,
     provenance TEXT NOT NULL,
     PRIMARY KEY (sandbox_id, version)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE resources (
     kind TEXT NOT NULL,
     workspace TEXT NOT NULL,
     name TEXT NOT NULL,
     id TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     resource_version INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (kind, workspace, name)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE data_key (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     wrapped BLOB NOT NULL
   ) STRICT;`,
  `CREATE TABLE proposals (
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     id TEXT NOT NULL,
     created_at_ms INTEGER NOT NULL,
     chunk BLOB NOT NULL,
     PRIMARY KEY (sandbox_id, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE proposal_history (
     sequence INTEGER PRIMARY KEY,
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     entry BLOB NOT NULL
   ) STRICT;
   CREATE INDEX proposal_history_by_sandbox ON proposal_history (sandbox_id, sequence);`,
  `CREATE TABLE ssh_sessions (
     id TEXT PRIMARY KEY,
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     user TEXT NOT NULL,
     token_hash BLOB NOT NULL,
     created_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL,
     revoked INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX ssh_sessions_by_sandbox ON ssh_sessions (sandbox_id, created_at_ms);`,
];

/** The log database: a copy of what supervisors keep on disk, so it may be behind after a loss of power. */
export const logMigrations: readonly Migration[] = [
  `CREATE TABLE log_lines (
     sandbox_id TEXT NOT NULL,
     source TEXT NOT NULL,
     sequence INTEGER NOT NULL,
     timestamp_ms INTEGER NOT NULL,
     level TEXT NOT NULL,
     line BLOB NOT NULL,
     PRIMARY KEY (sandbox_id, source, sequence)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX log_lines_by_time ON log_lines (sandbox_id, timestamp_ms);`,
  `CREATE TABLE inference_usage (
     hour_ms INTEGER NOT NULL,
     sandbox_name TEXT NOT NULL,
     route TEXT NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     calls INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     input_tokens INTEGER NOT NULL,
     output_tokens INTEGER NOT NULL,
     PRIMARY KEY (hour_ms, sandbox_name, route, provider, model)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE outbox (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     sandbox_name TEXT NOT NULL,
     json TEXT NOT NULL,
     for_own_file INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE exports (
     name TEXT PRIMARY KEY,
     position INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE inference_usage RENAME TO inference_usage_of_one_workspace;
   CREATE TABLE inference_usage (
     hour_ms INTEGER NOT NULL,
     workspace TEXT NOT NULL,
     sandbox_name TEXT NOT NULL,
     route TEXT NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     calls INTEGER NOT NULL,
     failures INTEGER NOT NULL,
     input_tokens INTEGER NOT NULL,
     output_tokens INTEGER NOT NULL,
     PRIMARY KEY (hour_ms, workspace, sandbox_name, route, provider, model)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO inference_usage
     SELECT hour_ms, 'default', sandbox_name, route, provider, model, calls, failures, input_tokens, output_tokens
     FROM inference_usage_of_one_workspace;
   DROP TABLE inference_usage_of_one_workspace;`,
  `CREATE TABLE call_log (
     sequence INTEGER PRIMARY KEY,
     sandbox_id TEXT NOT NULL,
     timestamp_ms INTEGER NOT NULL,
     level TEXT NOT NULL,
     line BLOB NOT NULL
   ) STRICT;
   CREATE INDEX call_log_by_sandbox ON call_log (sandbox_id, timestamp_ms);
   CREATE TABLE call_log_id (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     uid TEXT NOT NULL
   ) STRICT;`,
];
