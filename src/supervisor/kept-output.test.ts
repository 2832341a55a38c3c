import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { KeptOutput, outputStart } from "./kept-output.ts";

describe("the output of a sandbox's own command", () => {
  let directory: string;
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-output-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  it("is kept in order, from start to start", async () => {
    for (const words of [["one ", "two "], ["three"]]) {
      const output = new KeptOutput(join(directory, "plain.log"));
      await Promise.all(words.map((word) => output.append(Buffer.from(word))));
      await output.close();
    }
    assert.equal(read("plain.log"), "one two three");
  });

  it("takes no more than two files of the limit, the newest of it", async () => {
    const output = new KeptOutput(join(directory, "full.log"), 10);
    for (let number = 0; number < 25; number += 1) await output.append(Buffer.from(`<${number % 10}>`));
    await output.close();
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith("full")),
      ["full.log", "full.log.1"],
    );
    assert.equal(read("full.log.1") + read("full.log"), "<1><2><3><4>");
  });

  it("that can't be written is lost, and holds nobody up", async () => {
    const output = new KeptOutput(join(directory, "missing", "x.log"));
    await output.append(Buffer.from("lost"));
    await output.close();
  });

  it("can be read from its beginning while it is written, and says where something is missing", async () => {
    const output = new KeptOutput(join(directory, "read.log"), 10);
    let piece = await output.read(outputStart);
    assert.deepEqual([piece.bytes.length, piece.isGap], [0, false]);
    await output.append(Buffer.from("<0><1><2>"));
    await output.append(Buffer.from("<3>"));
    const seen: string[] = [];
    for (piece = await output.read(outputStart); piece.bytes.length > 0; piece = await output.read(piece.next)) {
      seen.push(piece.bytes.toString());
    }
    assert.deepEqual(seen, ["<0><1><2>", "<3>"]);
    for (let number = 4; number < 13; number += 1) await output.append(Buffer.from(`<${number % 10}>`));
    piece = await output.read(piece.next);
    assert.deepEqual([piece.bytes.toString(), piece.isGap], ["<9><0><1>", true]);
    piece = await output.read(piece.next);
    assert.deepEqual([piece.bytes.toString(), piece.isGap], ["<2>", false]);
    await output.close();
  });
});
