import type { Duplex } from "node:stream";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GatewayMessage, GatewayMessageSchema, RelayOpenSchema } from "../../gen/openshell/v1/supervisor_pb.ts";

/** A message to a supervisor: the payload, as it is written in code. */
export type ToSupervisor = NonNullable<MessageInitShape<typeof GatewayMessageSchema>["payload"]>;

/** What a channel is for. */
export type ChannelPurpose = Pick<MessageInitShape<typeof RelayOpenSchema>, "target" | "relay" | "serviceId">;

/** How messages reach a supervisor, whatever it is connected by. */
export interface SessionPort {
  send(message: GatewayMessage): void;
  close(): void;
}

/** What became of a pushed policy revision. */
export interface PolicyOutcome {
  readonly isLoaded: boolean;
  readonly loadError: string;
}

/** A connected supervisor. */
export interface SupervisorSession {
  readonly sandboxId: string;
  readonly instanceId: string;
  send(payload: ToSupervisor): void;
  /** Asks for a channel; gives it once the supervisor has opened it. */
  openChannel(purpose: ChannelPurpose): Promise<OpenChannel>;
  /** Resolves when the supervisor has answered for this version; undefined when it has not within `timeoutMs`. */
  policyOutcome(version: number, timeoutMs: number): Promise<PolicyOutcome | undefined>;
}

export interface OpenChannel {
  readonly id: string;
  readonly stream: Duplex;
}
