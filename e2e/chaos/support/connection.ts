/** A client that goes on when its gateway dies and another one starts. */
import type { Channel } from "../../../src/cli/api/channel.ts";
import type { Gateway } from "../../../src/cli/api/gateway.ts";
import { RpcError } from "../../../src/cli/api/rpc-error.ts";
import { openApi } from "../../support/api.ts";
import { eventually } from "../../support/eventually.ts";
import type { Installation } from "../../support/installation.ts";

/** The call broke off: what it asked for may have been done or not. */
export class BrokenOff extends Error {}

export class Connection implements Disposable {
  readonly #installation: Installation;
  #channel: Channel | undefined;

  constructor(installation: Installation) {
    this.#installation = installation;
  }

  /** Makes a call; rejects with BrokenOff if the gateway died meanwhile, and with its answer if that is an error. */
  async call<T>(make: (channel: Channel) => Promise<T>): Promise<T> {
    this.#channel ??= await this.#open();
    const channel = this.#channel;
    try {
      return await make(channel);
    } catch (error) {
      if (!(error instanceof RpcError) || !["unavailable", "canceled"].includes(error.code)) throw error;
      if (this.#channel === channel) this.#channel = undefined;
      channel[Symbol.dispose]();
      throw new BrokenOff(error.message, { cause: error });
    }
  }

  /** As commands have it, for what goes on over several gateways. */
  async gateway(): Promise<Gateway> {
    const channel = await this.#open();
    return { channel, endpoint: "", isLocal: true, reconnect: () => this.gateway() };
  }

  /** As soon as there is one. */
  #open(): Promise<Channel> {
    return eventually(() => openApi(this.#installation));
  }

  [Symbol.dispose](): void {
    this.#channel?.[Symbol.dispose]();
  }
}
