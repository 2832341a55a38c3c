/**
 * The supervisors that are connected now, and the channels that they have been asked for. Both ways in (lines on the
 * Unix socket, gRPC) end here, and from here on nobody can tell them apart.
 */
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import {
  GatewayMessageSchema,
  type PolicyStatusReport,
  type RelayOpenResult,
  type SupervisorStatus,
} from "../../gen/openshell/v1/supervisor_pb.ts";
import { unavailable } from "../refuse.ts";
import type {
  ChannelPurpose,
  OpenChannel,
  PolicyOutcome,
  SessionPort,
  SupervisorSession,
  ToSupervisor,
} from "./session.ts";

/** A supervisor opens a channel within a millisecond; one that has not by now hangs. */
const CHANNEL_TIMEOUT_MS = 10_000;

interface PendingChannel {
  readonly session: Session;
  readonly opened: (stream: Duplex) => void;
  readonly failed: (error: Error) => void;
}

export class SupervisorSessions {
  readonly #bySandbox = new Map<string, Session>();
  readonly #pendingChannels = new Map<string, PendingChannel>();

  /** How many supervisors are connected. */
  get size(): number {
    return this.#bySandbox.size;
  }

  get(sandboxId: string): SupervisorSession | undefined {
    return this.#bySandbox.get(sandboxId);
  }

  /** A supervisor has said hello. A session of the same sandbox that is still there is dead, and is closed. */
  attach(identity: { readonly sandboxId: string; readonly instanceId: string }, port: SessionPort): Session {
    this.#bySandbox.get(identity.sandboxId)?.close();
    const session = new Session(identity, port, this.#pendingChannels);
    this.#bySandbox.set(identity.sandboxId, session);
    return session;
  }

  /** The session's connection is gone. False if a newer one has taken its place. */
  detach(session: Session): boolean {
    session.fail();
    if (this.#bySandbox.get(session.sandboxId) !== session) return false;
    this.#bySandbox.delete(session.sandboxId);
    return true;
  }

  /** A supervisor has opened a channel. False if none was asked of this sandbox by that id. */
  claimChannel(sandboxId: string, channelId: string, stream: Duplex): boolean {
    const pending = this.#pendingChannels.get(channelId);
    if (pending === undefined || pending.session.sandboxId !== sandboxId) return false;
    pending.opened(stream);
    return true;
  }

  /** The sandbox that a channel was asked of and that has yet to open it. */
  channelOwner(channelId: string): string | undefined {
    return this.#pendingChannels.get(channelId)?.session.sandboxId;
  }

  closeAll(): void {
    for (const session of this.#bySandbox.values()) session.close();
  }
}

/** One supervisor's session, with what is still owed to it or by it. */
export class Session implements SupervisorSession {
  readonly sandboxId: string;
  readonly instanceId: string;
  /** The last that was said, stored or not. */
  latestStatus: SupervisorStatus | undefined;
  readonly #port: SessionPort;
  readonly #pendingChannels: Map<string, PendingChannel>;
  readonly #outcomes = new Map<number, (outcome: PolicyOutcome | undefined) => void>();

  constructor(
    { sandboxId, instanceId }: { readonly sandboxId: string; readonly instanceId: string },
    port: SessionPort,
    pendingChannels: Map<string, PendingChannel>,
  ) {
    this.sandboxId = sandboxId;
    this.instanceId = instanceId;
    this.#port = port;
    this.#pendingChannels = pendingChannels;
  }

  send(payload: ToSupervisor): void {
    this.#port.send(create(GatewayMessageSchema, { payload }));
  }

  close(): void {
    this.#port.close();
  }

  openChannel(purpose: ChannelPurpose): Promise<OpenChannel> {
    // The id is all that ties a new connection to this request, so it must not be guessable.
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#pendingChannels.delete(id);
        act();
      };
      const failed = (error: Error) => settle(() => reject(error));
      const timer = setTimeout(() => failed(unavailable("the supervisor opened no channel")), CHANNEL_TIMEOUT_MS);
      this.#pendingChannels.set(id, {
        session: this,
        opened: (stream) => settle(() => resolve({ id, stream })),
        failed,
      });
      this.send({ case: "relayOpen", value: { ...purpose, channelId: id } });
    });
  }

  policyOutcome(version: number, timeoutMs: number): Promise<PolicyOutcome | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settleOutcome(version, undefined), timeoutMs);
      this.#outcomes.set(version, (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      });
    });
  }

  /** The supervisor's answer to a pushed policy. */
  reportPolicy({ version, status, loadError }: PolicyStatusReport): void {
    this.#settleOutcome(version, { isLoaded: status === PolicyStatus.LOADED, loadError });
  }

  /** The supervisor could not open a channel. */
  reportChannel({ channelId, success, error }: RelayOpenResult): void {
    const pending = this.#pendingChannels.get(channelId);
    if (!success && pending?.session === this)
      pending.failed(unavailable(error || "the supervisor refused the channel"));
  }

  /** The connection is gone: nobody must wait for an answer that cannot come. */
  fail(): void {
    for (const version of [...this.#outcomes.keys()]) this.#settleOutcome(version, undefined);
    for (const pending of [...this.#pendingChannels.values()]) {
      if (pending.session === this) pending.failed(unavailable("the sandbox's supervisor went away"));
    }
  }

  #settleOutcome(version: number, outcome: PolicyOutcome | undefined): void {
    const waiting = this.#outcomes.get(version);
    this.#outcomes.delete(version);
    waiting?.(outcome);
  }
}
