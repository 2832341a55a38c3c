/** Connections on which nothing happens any more. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { keptAliveIdleMs } from "../../10-forward/limits.ts";
import { Http2World } from "../../test-support/http2-world.ts";

/** Not the one that the test puts in its place. */
const wait = setTimeout;
/** Lets what is under way on loopback arrive. */
const settle = () => new Promise((resolve) => wait(resolve, 50));

describe("an HTTP/2 connection without streams", () => {
  it("is closed after a while, also when it has had some", async (context) => {
    await using world = new Http2World();
    // Timers of ours alone: sockets have their own.
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const client = await world.client((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
    assert.equal((await client.get("/")).status, 200);
    await settle();
    context.mock.timers.tick(keptAliveIdleMs - 1);
    await settle();
    assert.equal(client.session.destroyed, false);
    const closed = once(client.session, "close");
    context.mock.timers.tick(1);
    await closed;
  });
});
