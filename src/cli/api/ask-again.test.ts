import assert from "node:assert/strict";
import { it } from "node:test";
import { askAgain } from "./ask-again.ts";
import type { Channel } from "./channel.ts";
import type { Gateway } from "./gateway.ts";
import { RpcError } from "./rpc-error.ts";

const broken = new RpcError("unavailable", "the connection to the gateway broke");

/** One gateway after the other, each on a connection of its own; those of null can't be reached. */
function gateways(names: readonly (string | null)[]): { readonly first: Gateway; readonly closed: string[] } {
  const closed: string[] = [];
  const left = [...names];
  const next = async (): Promise<Gateway> => {
    const name = left.shift();
    if (typeof name !== "string") throw new Error("nothing listens there");
    const channel = { name, [Symbol.dispose]: () => void closed.push(name) } as unknown as Channel;
    return { channel, endpoint: "", isLocal: true, reconnect: next };
  };
  const channel = { name: "first" } as unknown as Channel;
  return { first: { channel, endpoint: "", isLocal: true, reconnect: next }, closed };
}

const nameOf = (channel: Channel): string => (channel as unknown as { name: string }).name;

it("asks the next gateway when its own went before it had answered", async () => {
  const { first, closed } = gateways([null, "second", "third"]);
  const answer = await askAgain(first, async (channel) => {
    if (nameOf(channel) !== "third") throw broken;
    return "answer";
  });
  assert.equal(answer, "answer");
  assert.deepEqual(closed, ["second", "third"]);
});

it("takes a gateway's no for an answer", async () => {
  const { first } = gateways(["second"]);
  const no = new RpcError("unavailable", "no container engine was found", { isAnswer: true });
  await assert.rejects(
    askAgain(first, async () => {
      throw no;
    }),
    no,
  );
});
