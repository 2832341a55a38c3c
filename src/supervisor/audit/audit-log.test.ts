import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { verifyChain } from "../../ocsf/chain.ts";
import { applicationLifecycle } from "../../ocsf/classes/application-lifecycle.ts";
import { sandboxDevice } from "../../ocsf/objects/device.ts";
import { type WrittenEvent, writeEvent } from "../../ocsf/write-jsonl.ts";
import { type AuditLog, type LogHealth, openAuditLog } from "./audit-log.ts";
import { keptDays } from "./day-file.ts";

const noon = Date.UTC(2026, 3, 1, 12);
const day = 24 * 60 * 60 * 1000;
const device = sandboxDevice({
  sandboxId: "s1",
  sandboxName: "box",
  workspace: "default",
  instanceId: "i",
  hostname: "box",
});

function event(message: string, time = noon): WrittenEvent {
  const occasion = { reporter: { productVersion: "0.0.0", device }, time, severity: "informational", message } as const;
  return writeEvent(applicationLifecycle(occasion, "start"));
}

describe("the audit log", () => {
  let directory = "";
  let clock = noon;
  let changes: LogHealth[] = [];
  const json = (date = "2026-04-01") => join(directory, `openshell-ocsf.${date}.log`);
  const people = (date = "2026-04-01") => join(directory, `openshell.${date}.log`);
  const lines = (path: string) => fs.readFileSync(path, "utf8").split("\n").slice(0, -1);
  const opened = (): AuditLog =>
    openAuditLog({ directory, sandboxId: "s1", now: () => clock, onHealth: (health) => changes.push(health) });

  beforeEach(() => {
    directory = fs.mkdtempSync(join(tmpdir(), "audit-log-"));
    clock = noon;
    changes = [];
  });
  afterEach(() => fs.rmSync(directory, { recursive: true }));

  it("has an urgent event on disk when append returns, with a number and a line for people", () => {
    using log = opened();
    assert.equal(log.append(event("one"), "now"), true);
    const [line = ""] = lines(json());
    assert.deepEqual(JSON.parse(line).metadata.sequence, 1);
    assert.deepEqual(JSON.parse(line).metadata.uid, "s1-1");
    assert.deepEqual(lines(people()), ["2026-04-01T12:00:00.000Z OCSF LIFECYCLE:START [INFO] one"]);
  });

  it("writes what can wait together with what can't, in order", () => {
    using log = opened();
    log.append(event("one"), "soon");
    assert.deepEqual(lines(json()), []);
    log.append(event("two"), "now");
    assert.deepEqual(
      lines(json()).map((line) => JSON.parse(line).message),
      ["one", "two"],
    );
  });

  it("puts what may be put into words later in its place, in front of what came after it", () => {
    using log = opened();
    const told: string[] = [];
    const later = (message: string) => () => {
      told.push(message);
      return event(message);
    };
    assert.equal(log.appendLater(later("one")), true);
    assert.equal(log.appendLater(later("two")), true);
    assert.deepEqual([told, log.lastSequence], [[], 2]);
    log.append(event("three"), "now");
    const written = lines(json()).map((line) => JSON.parse(line));
    assert.deepEqual(
      written.map(({ message, metadata }) => [message, metadata.sequence]),
      [
        ["one", 1],
        ["two", 2],
        ["three", 3],
      ],
    );
    assert.deepEqual(told, ["one", "two"]);
    const chain = lines(json()).map((line) => ({ line, place: "" }));
    assert.equal(verifyChain(chain).ok, true);
  });

  it("chains its lines, over a restart, a crash, another day and an event that could not be written", (t) => {
    const all = () => [json(), json("2026-04-02")].filter((path) => fs.existsSync(path)).flatMap(lines);
    {
      using log = opened();
      log.append(event("one"), "soon");
      log.append(event("two"), "now");
      const failing = t.mock.method(fs, "writeSync", () => {
        throw new Error("ENOSPC");
      });
      assert.equal(log.append(event("never"), "now_or_never"), false);
      assert.equal(log.append(event("late"), "now"), false);
      failing.mock.restore();
      assert.equal(log.append(event("three"), "now"), true);
    }
    fs.appendFileSync(json(), '{"class_uid":6002,"mess');
    clock += day;
    using log = opened();
    log.append(event("next day", clock), "now");
    const messages = all().map((line) => JSON.parse(line).message);
    assert.deepEqual(messages, ["one", "two", "late", "three", "next day"]);
    assert.deepEqual(verifyChain(all().map((line) => ({ line, place: "" }))), {
      ok: true,
      checked: 5,
      first: 1,
      last: 5,
    });
  });

  it("writes by itself, before long, what waits", async () => {
    using log = opened();
    const written = new Promise((resolve) => log.subscribe(resolve));
    const alive = setInterval(() => {}, 1000);
    log.append(event("one"), "soon");
    await written;
    clearInterval(alive);
    assert.equal(lines(json()).length, 1);
  });

  it("writes what waits when it is closed", () => {
    {
      using log = opened();
      log.append(event("one"), "soon");
    }
    assert.equal(lines(json()).length, 1);
  });

  it("goes on counting where it stopped", () => {
    for (const expected of [1, 2, 3]) {
      using log = opened();
      log.append(event("again"), "now");
      assert.equal(log.lastSequence, expected);
    }
  });

  it("goes on counting on another day", () => {
    opened().append(event("one"), "now");
    clock += 30 * day;
    using log = opened();
    log.append(event("two"), "now");
    assert.equal(log.lastSequence, 2);
  });

  it("cuts off the half line that a crash of the machine left", () => {
    opened().append(event("one"), "now");
    fs.appendFileSync(json(), '{"class_uid":6002,"mess');
    using log = opened();
    log.append(event("two"), "now");
    assert.deepEqual(
      lines(json()).map((line) => JSON.parse(line).metadata.sequence),
      [1, 2],
    );
  });

  it("keeps the newest days", () => {
    using log = opened();
    for (let count = 0; count < keptDays + 2; count++, clock += day) log.append(event("one"), "now");
    const kept = fs.readdirSync(directory).sort();
    assert.deepEqual(kept, [
      "openshell-ocsf.2026-04-03.log",
      "openshell-ocsf.2026-04-04.log",
      "openshell-ocsf.2026-04-05.log",
      "openshell.2026-04-03.log",
      "openshell.2026-04-04.log",
      "openshell.2026-04-05.log",
    ]);
  });

  it("keeps today also when the clock was days ahead and is right again", () => {
    {
      using log = opened();
      for (let count = 0; count < keptDays; count++, clock += day) log.append(event("one"), "now");
    }
    clock = noon - 100 * day;
    using log = opened();
    log.append(event("two"), "now");
    assert.equal(lines(json("2025-12-22")).length, 1);
  });

  it("does not follow a link that stands where its file should be", () => {
    fs.symlinkSync(join(directory, "elsewhere"), json());
    assert.throws(opened, { code: "ELOOP" });
  });

  it("gives everything after a number, once, over several days and windows", async () => {
    using log = opened();
    const long = "x".repeat(2000);
    for (let count = 1; count <= 600; count++) {
      if (count % 250 === 0) clock += day;
      log.append(event(long), "soon");
      if (count % 100 === 0) log.flush();
    }
    log.flush();
    for (const after of [0, 1, 249, 250, 251, 399, 499, 598, 600]) {
      const got: number[] = [];
      for (let from = after; ; from = got.at(-1) ?? from) {
        const page = await log.readAfter(from, 90);
        if (page.length === 0) break;
        got.push(...page.map(({ sequence }) => sequence));
      }
      assert.deepEqual(
        got,
        Array.from({ length: 600 - after }, (_, index) => after + 1 + index),
      );
    }
  });

  it("tells subscribers what is on disk, until they have enough", () => {
    using log = opened();
    const got: number[] = [];
    const stop = log.subscribe(({ sequence }) => got.push(sequence));
    log.append(event("one"), "soon");
    assert.deepEqual(got, []);
    log.flush();
    stop();
    log.append(event("two"), "now");
    assert.deepEqual(got, [1]);
  });

  describe("on a disk that takes nothing more", () => {
    it("says so once, keeps what it can, and recovers without losing or doubling an event", (t) => {
      using log = opened();
      log.append(event("one"), "now");
      let full = true;
      const real = fs.writeSync as (fd: number, bytes: Buffer, offset: number, length: number) => number;
      // The disk fills up in the middle of a line: a part is taken, the rest is refused.
      t.mock.method(fs, "writeSync", (fd: number, bytes: Buffer, offset: number) => {
        if (full && offset > 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
        return real(fd, bytes, offset, full ? 10 : bytes.length - offset);
      });
      assert.equal(log.append(event("two"), "now"), false);
      assert.equal(log.append(event("three"), "now"), false);
      assert.equal(log.append(event("never"), "now_or_never"), false);
      assert.equal(log.healthy, false);
      assert.match(changes[0]?.error ?? "", /ENOSPC/);
      assert.equal(changes.length, 1);
      assert.equal(lines(json()).length, 1);
      full = false;
      assert.equal(log.append(event("four"), "now"), true);
      assert.equal(log.healthy, true);
      assert.deepEqual(
        lines(json()).map((line) => JSON.parse(line).message),
        ["one", "two", "three", "four"],
      );
      assert.deepEqual(
        changes.map(({ healthy }) => healthy),
        [false, true],
      );
    });

    it("counts what it had no room for", (t) => {
      using log = opened();
      const failing = t.mock.method(fs, "writeSync", () => {
        throw new Error("EIO");
      });
      for (let count = 0; count < 20; count++) log.append(event("x".repeat(100_000)), "now");
      failing.mock.restore();
      log.append(event("at last"), "now");
      const health = changes.at(-1);
      assert.equal(health?.healthy, true);
      assert.ok((health?.lost ?? 0) > 0);
      assert.equal(lines(json()).length, 21 - (health?.lost ?? 0));
    });
  });
});
