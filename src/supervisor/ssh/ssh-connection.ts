/** One client's SSH connection: who it is, what it goes over, and what of it is open. */
import type { Duplex } from "node:stream";
import type { Connection } from "ssh2";
import type { SshActivityName } from "../../ocsf/classes/ssh-activity.ts";
import type { Forwarded } from "../egress/01-intercept/forwarded.ts";
import type { Audit } from "../egress/11-audit.ts";
import type { InitLink } from "../init-link.ts";

/** Who is at the other end, as the gateway has authenticated them. */
export interface SshSession {
  /** Of the session's record at the gateway; not its token. */
  readonly id: string;
  /** The gateway's name for the user. */
  readonly user: string;
}

/** What the server may use of the sandbox. */
export interface SshContext {
  readonly init: InitLink;
  /** The server's key, in OpenSSH's format. */
  readonly hostKey: string;
  readonly sandboxName: string;
  /** Where programs start. */
  readonly workdir: string;
  /** What every program of the sandbox starts with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onStarted: (pid: number, command: readonly string[]) => ProgramEnded;
  readonly audit: Pick<Audit, "ssh">;
  /** Takes a forwarded connection that leaves the sandbox along the decision path, to its end. */
  readonly forward: (stream: Duplex, to: Forwarded) => Promise<void>;
}

type ProgramEnded = (exited: { readonly code: number | null; readonly signal: number }) => void;

/** Channels that a client may have open. An editor has a dozen; each may hold 2 MiB that its program has yet to read. */
const MAX_CHANNELS = 64;

export class SshConnection {
  readonly client: Connection;
  readonly transport: Duplex;
  readonly context: SshContext;
  readonly #session: SshSession;
  readonly #open = new Set<() => void>();

  constructor(
    client: Connection,
    transport: Duplex,
    about: { readonly session: SshSession; readonly context: SshContext },
  ) {
    this.client = client;
    this.transport = transport;
    this.context = about.context;
    this.#session = about.session;
    transport.once("close", () => {
      for (const close of this.#open) close();
    });
  }

  /** False, and on record, if it has as many channels as it may have. */
  hasRoom(): boolean {
    if (this.#open.size < MAX_CHANNELS) return true;
    this.record("refuse", "a channel", `${MAX_CHANNELS} are open`);
    return false;
  }

  /**
   * Counts something as open, and closes it when the connection goes.
   * @returns what to call when it has closed by itself
   */
  onClose(close: () => void): () => void {
    this.#open.add(close);
    return () => void this.#open.delete(close);
  }

  record(activity: SshActivityName, what: string, why?: string): void {
    this.context.audit.ssh({ activity, session: this.#session, what, ...(why !== undefined && { why }) });
  }
}
