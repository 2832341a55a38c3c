import type { Migration } from "./migrate.ts";

/** State and log in one database: what takes turns is decided by rows here, not by files as with SQLite. */
export const stateMigrations: readonly Migration[] = [
  `CREATE TABLE sandboxes (
     id TEXT PRIMARY KEY,
     workspace TEXT NOT NULL,
     name TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     labels JSONB NOT NULL,
     annotations JSONB NOT NULL,
     resource_version BIGINT NOT NULL,
     desired TEXT NOT NULL,
     spec BYTEA NOT NULL,
     status BYTEA NOT NULL,
     token_hash BYTEA NOT NULL,
     host_uid BIGINT,
     supervisor JSONB,
     UNIQUE (workspace, name)
   );
   CREATE TABLE policy_revisions (
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     version BIGINT NOT NULL,
     hash TEXT NOT NULL,
     policy BYTEA NOT NULL,
     status INTEGER NOT NULL,
     load_error TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     loaded_at_ms BIGINT NOT NULL,
     provenance JSONB NOT NULL,
     PRIMARY KEY (sandbox_id, version)
   );
   CREATE TABLE resources (
     kind TEXT NOT NULL,
     workspace TEXT COLLATE "C" NOT NULL,
     name TEXT COLLATE "C" NOT NULL,
     id TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     resource_version BIGINT NOT NULL,
     body JSONB NOT NULL,
     PRIMARY KEY (kind, workspace, name)
   );
   CREATE TABLE data_key (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     wrapped BYTEA NOT NULL
   );
   CREATE TABLE proposals (
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     id TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     chunk BYTEA NOT NULL,
     PRIMARY KEY (sandbox_id, id)
   );
   CREATE TABLE proposal_history (
     sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     entry BYTEA NOT NULL
   );
   CREATE INDEX proposal_history_by_sandbox ON proposal_history (sandbox_id, sequence);
   CREATE TABLE ssh_sessions (
     id TEXT PRIMARY KEY,
     sandbox_id TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     opened_by TEXT NOT NULL,
     token_hash BYTEA NOT NULL,
     created_at_ms BIGINT NOT NULL,
     expires_at_ms BIGINT NOT NULL,
     revoked BOOLEAN NOT NULL
   );
   CREATE INDEX ssh_sessions_by_sandbox ON ssh_sessions (sandbox_id, created_at_ms);
   CREATE TABLE log_lines (
     sandbox_id TEXT NOT NULL,
     source TEXT NOT NULL,
     sequence BIGINT NOT NULL,
     timestamp_ms BIGINT NOT NULL,
     level TEXT NOT NULL,
     line BYTEA NOT NULL,
     PRIMARY KEY (sandbox_id, source, sequence)
   );
   CREATE INDEX log_lines_by_time ON log_lines (sandbox_id, timestamp_ms);
   CREATE TABLE inference_usage (
     hour_ms BIGINT NOT NULL,
     workspace TEXT NOT NULL,
     sandbox_name TEXT NOT NULL,
     route TEXT NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     calls BIGINT NOT NULL,
     failures BIGINT NOT NULL,
     input_tokens BIGINT NOT NULL,
     output_tokens BIGINT NOT NULL,
     PRIMARY KEY (hour_ms, workspace, sandbox_name, route, provider, model)
   );
   CREATE TABLE outbox (
     position BIGINT PRIMARY KEY,
     sandbox_name TEXT NOT NULL,
     json TEXT NOT NULL,
     for_own_file BOOLEAN NOT NULL
   );
   CREATE TABLE outbox_end (
     position BIGINT NOT NULL
   );
   INSERT INTO outbox_end VALUES (0);
   CREATE TABLE exports (
     name TEXT PRIMARY KEY,
     position BIGINT NOT NULL
   );`,
  `CREATE TABLE call_log (
     sequence BIGINT PRIMARY KEY,
     sandbox_id TEXT NOT NULL,
     timestamp_ms BIGINT NOT NULL,
     level TEXT NOT NULL,
     line BYTEA NOT NULL
   );
   CREATE INDEX call_log_by_sandbox ON call_log (sandbox_id, timestamp_ms);
   CREATE TABLE call_log_id (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     uid TEXT NOT NULL
   );`,
];
