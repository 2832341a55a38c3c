/** Sessions that are told of at once; they last for a day, and a person opens a few. */
export const MAX_LISTED_SESSIONS = 1_000;

/** Who may open an SSH connection into which sandbox, and until when. Forgotten with the sandbox. */
export interface SshSessionRecord {
  readonly id: string;
  readonly sandboxId: string;
  /** Who asked for it, as the gateway knows them. */
  readonly user: string;
  /** SHA-256 of the token; the token itself is known to whoever asked. */
  readonly tokenHash: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly revoked: boolean;
}

/** Those whose time was over before are forgotten, by whether they were revoked. */
export interface ForgottenSessions {
  readonly revokedBeforeMs: number;
  readonly allBeforeMs: number;
}

export interface SshSessionStore {
  /** Adds a session, and forgets others. */
  create(record: SshSessionRecord, forgotten: ForgottenSessions): Promise<void>;
  get(id: string): Promise<SshSessionRecord | undefined>;
  /** Newest first; of all sandboxes if none is given. */
  list(sandboxId?: string): Promise<SshSessionRecord[]>;
  /** False if there is no such session. */
  revoke(id: string): Promise<boolean>;
}
