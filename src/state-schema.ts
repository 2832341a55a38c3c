/**
 * Steps of the state database's schema (gateway/store/sqlite/migrations.ts) that this version knows; a database counts its
 * own in `user_version`. Here because the CLI must not put a newer database in place of one that its gateway can read.
 */
export const STATE_SCHEMA = 4;
