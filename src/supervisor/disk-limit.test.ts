import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { watchDisk } from "./disk-limit.ts";

const MIB = 2 ** 20;

/** What is said at each look, of a sandbox whose files take so many MiB then; undefined: they can't be counted. */
async function said(looks: readonly (number | undefined)[]): Promise<string[]> {
  const ending = new AbortController();
  const words: string[] = [];
  let at = -1;
  await watchDisk(100 * MIB, {
    async pause() {
      at += 1;
      if (at === looks.length) ending.abort();
      else words.push("");
    },
    async measure() {
      const used = looks[at];
      if (used === undefined) throw new Error("du failed");
      return used * MIB;
    },
    isBusy: () => true,
    onExceeded: (why) => (words[at] = why),
    onRoom: () => (words[at] = "room"),
    signal: ending.signal,
  });
  return words;
}

describe("a limit on a sandbox's files", () => {
  it("ends what runs when they take more", async () => {
    assert.deepEqual(await said([99, 100, 101]), ["", "", "its files take 101 MiB, and may take 100 MiB"]);
  });

  it("lets go on what makes room, and not what writes more meanwhile", async () => {
    const [, afterEnd, deleting, writing] = await said([300, 300, 200, 250]);
    assert.deepEqual([afterEnd, deleting], ["", ""]);
    assert.match(writing ?? "", /take 250 MiB/);
  });

  it("ends after a minute what deletes and writes anew, and lets go on what deletes for longer", async () => {
    const still = await said(Array.from({ length: 130 }, () => 300));
    assert.deepEqual(
      still.flatMap((words, at) => (words === "" ? [] : [at])),
      [0, 60, 120],
    );
    const deleting = await said(Array.from({ length: 130 }, (_, at) => 300 - at));
    assert.deepEqual(deleting.filter((words) => words !== "").length, 1);
  });

  it("says when there is room again", async () => {
    assert.deepEqual((await said([300, 90, 95])).slice(1), ["room", ""]);
  });

  it("is not given up when they can't be counted", async () => {
    assert.deepEqual(await said([undefined, 50, undefined, undefined]), [
      "",
      "",
      "",
      "what its files take can't be counted",
    ]);
  });
});
