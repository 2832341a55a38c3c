/**
 * SSH sessions: short permissions to open SSH connections into one sandbox. Whoever shows a session's token is its user,
 * until it expires or is revoked; the record outlives the gateway, so that a connection finds its way back after a restart
 * without authenticating again.
 */
import { randomUUID } from "node:crypto";
import { unauthenticated } from "../refuse.ts";
import type { SshSessionRecord, SshSessionStore } from "../store/ssh-session-store.ts";
import { issueToken, isToken } from "../supervisors/token.ts";

/** A working day and the night after it. */
const SESSION_LIFETIME_MS = 24 * 3_600_000;

/** So long a connection may go on after its session's day. Also a clock that jumps ahead for a while must not end it. */
const REMEMBERED_MS = 30 * SESSION_LIFETIME_MS;

export interface IssuedSession {
  /** Names the record and proves to be its user. A secret. */
  readonly token: string;
  readonly record: SshSessionRecord;
}

/** Aborted when a session is revoked. */
export interface Revocation extends Disposable {
  readonly signal: AbortSignal;
}

export class SshSessions {
  readonly #store: SshSessionStore;
  readonly #now: () => number;
  /** Of the connections that are open now, by their session. */
  readonly #watched = new Map<string, Set<AbortController>>();

  constructor(store: SshSessionStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async create({ sandboxId, user }: { readonly sandboxId: string; readonly user: string }): Promise<IssuedSession> {
    const now = this.#now();
    const { token, hash } = issueToken();
    const record = {
      id: randomUUID(),
      sandboxId,
      user,
      tokenHash: hash,
      createdAtMs: now,
      expiresAtMs: now + SESSION_LIFETIME_MS,
      revoked: false,
    };
    await this.#store.create(record, { revokedBeforeMs: now, allBeforeMs: now - REMEMBERED_MS });
    return { token: `${record.id}.${token}`, record };
  }

  /**
   * The session whose token this is. Throws UNAUTHENTICATED unless it is one of this sandbox and still good.
   * @param isContinued for a connection that was opened in time, as the supervisor sees by its secret: it may outlive the
   *   session's day, and find its way back after that, too
   */
  async authorise(token: string, sandboxId: string, { isContinued = false } = {}): Promise<SshSessionRecord> {
    const record = await this.find(token);
    const isInTime = record !== undefined && (isContinued || record.expiresAtMs > this.#now());
    const isGood = isInTime && record.sandboxId === sandboxId && !record.revoked;
    // The same words whatever it is, so that nobody learns which sandboxes and sessions there are.
    if (!isGood) throw unauthenticated("the SSH session is unknown, has expired or was revoked");
    return record;
  }

  get(id: string): Promise<SshSessionRecord | undefined> {
    return this.#store.get(id);
  }

  /** The session whose token this is, good or not. */
  async find(token: string): Promise<SshSessionRecord | undefined> {
    const [id = "", secret = ""] = token.split(".", 2);
    const record = await this.#store.get(id);
    return record !== undefined && isToken(secret, record.tokenHash) ? record : undefined;
  }

  list(sandboxId: string | undefined): Promise<SshSessionRecord[]> {
    return this.#store.list(sandboxId);
  }

  /** Ends the session, and the connections that were opened with it. False if there is no such session. */
  async revoke(id: string): Promise<boolean> {
    const isKnown = await this.#store.revoke(id);
    for (const watched of this.#watched.get(id) ?? []) watched.abort();
    return isKnown;
  }

  /** Looks after a connection that is opened with the session: tells when that is revoked. Disposed of at its end. */
  watch(id: string): Revocation {
    const revoked = new AbortController();
    const watched = this.#watched.get(id) ?? new Set();
    this.#watched.set(id, watched.add(revoked));
    return {
      signal: revoked.signal,
      [Symbol.dispose]: () => {
        watched.delete(revoked);
        if (watched.size === 0) this.#watched.delete(id);
      },
    };
  }
}
