import type { Channel } from "./channel.ts";

/** A connected gateway. */
export interface Gateway {
  readonly channel: Channel;
  readonly endpoint: string;
  /** Whether it is this machine's own. */
  readonly isLocal: boolean;
  /** Name of its entry; absent when the user gave an address instead. */
  readonly name?: string;
  /** Connects anew to whatever is there now, and starts nothing. Throws CommandFailure. */
  reconnect(): Promise<Gateway>;
}
