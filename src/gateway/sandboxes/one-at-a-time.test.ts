import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OneAtATime } from "./one-at-a-time.ts";

describe("work on one sandbox", () => {
  it("is done piece after piece, also after one that failed, and keeps no other sandbox waiting", async () => {
    const runs = new OneAtATime();
    const done: string[] = [];
    const first = Promise.withResolvers<void>();
    const piece = (name: string, until?: Promise<void>) => async () => {
      await until;
      done.push(name);
      return name;
    };
    const all = [
      runs.run("a", piece("first", first.promise)),
      runs.run("a", async () => Promise.reject(new Error("second"))),
      runs.run("a", piece("third")),
    ];
    assert.equal(await runs.run("b", piece("other")), "other");
    assert.deepEqual(done, ["other"]);
    first.resolve();
    const outcomes = await Promise.allSettled(all);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual(done, ["other", "first", "third"]);
  });
});
