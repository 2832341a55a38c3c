import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { CanonicalHost } from "../../net/canonical-host.ts";
import { sandboxDevice } from "../../ocsf/objects/device.ts";
import { RepeatedEvents } from "../../ocsf/repeated-events.ts";
import { shorthandMessage } from "../../ocsf/shorthand.ts";
import type { Holder, Identified } from "../egress/connection.ts";
import { connectionRefusedEvent } from "./connection-events.ts";
import { type RefusedActivity, refusalKind } from "./refusal-kind.ts";

const device = sandboxDevice({
  sandboxId: "7d9f",
  sandboxName: "calm-otter",
  workspace: "default",
  instanceId: "i-1",
  hostname: "calm-otter",
});

const curl: Holder = { pid: 58, path: "/usr/bin/curl", sha256: "ab".repeat(32), ancestors: [], commandLine: [] };

let tries = 0;

/** Each try is another process and another connection. */
function refusal(time: number, { path = curl.path, port = 443, refused = "decide.implicit_deny" } = {}) {
  tries += 1;
  const connection: Identified = {
    id: `c-${tries}`,
    listener: "transparent",
    awaiting: "nothing",
    stream: new PassThrough(),
    client: {
      family: 4,
      local: { address: "10.0.2.1", port: 40_000 + tries },
      remote: { address: "198.18.0.1", port },
    },
    destination: { host: "other.invalid" as CanonicalHost, port },
    asked: "other.invalid",
    startedAt: time,
    holders: [{ ...curl, path, pid: 58 + tries }],
  };
  const moment = { reporter: { productVersion: "0.1.0", device }, time };
  return connectionRefusedEvent(moment, connection, { refused: refused as "decide.implicit_deny", detail: "no rule" });
}

function recorder() {
  const told: RefusedActivity[] = [];
  const repeated = new RepeatedEvents<RefusedActivity>({ kindOf: refusalKind, write: (event) => told.push(event) });
  return { told, repeated };
}

describe("refusals that repeat themselves", () => {
  it("are one event with their number, first and last, after the first few", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { told, repeated } = recorder();
    for (const time of [100, 200, 300, 400, 500]) {
      assert.equal(repeated.counts(refusal(time)), false, "told of by itself");
    }
    for (const time of [1100, 1200, 9000]) assert.equal(repeated.counts(refusal(time)), true);
    t.mock.timers.tick(10_000);
    const [event, ...more] = told;
    assert.ok(event && more.length === 0);
    assert.deepEqual(
      [event.count, event.time, event.start_time, event.end_time, event.duration],
      [3, 9000, 1100, 9000, 7900],
    );
    assert.match(shorthandMessage(event), /DENIED \/usr\/bin\/curl\(\d+\) -> other\.invalid:443 .*\[count:3\]$/);
    assert.equal(repeated.counts(refusal(12_000)), true, "what goes on is counted further");
    t.mock.timers.tick(10_000);
    assert.equal(told[1]?.count, 1);
    assert.equal(repeated.counts(refusal(24_000)), true);
    t.mock.timers.tick(10_000);
    assert.equal(told.length, 3);
    // A quiet time of its own, whose timer the next event starts.
    assert.equal(repeated.counts(refusal(36_000, { port: 80 })), false);
    t.mock.timers.tick(10_000);
    assert.equal(repeated.counts(refusal(50_000)), false, "after a quiet time it begins anew");
    assert.equal(told.length, 3);
  });

  it("are told apart by program, destination and reason", () => {
    const { repeated } = recorder();
    const kinds = [{}, { path: "/usr/bin/wget" }, { port: 80 }, { refused: "decide.explicit_deny" }];
    for (let round = 0; round < 5; round++) {
      for (const kind of kinds) assert.equal(repeated.counts(refusal(1000, kind)), false);
    }
    for (const kind of kinds) assert.equal(repeated.counts(refusal(1000, kind)), true);
  });

  it("are told of early where a scan makes thousands of kinds, and all are counted", () => {
    const { told, repeated } = recorder();
    let alone = 0;
    for (let round = 0; round < 2; round++) {
      for (let port = 1; port <= 1100; port++) {
        for (let same = 0; same < 7; same++) if (!repeated.counts(refusal(1000, { port }))) alone += 1;
      }
    }
    repeated.tell();
    assert.equal(alone + told.reduce((sum, { count = 0 }) => sum + count, 0), 15_400);
  });
});
