import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { barText, showProgress } from "./progress.ts";

describe("how far a copy is", () => {
  it("is a bar as soon as it is known how much there is", () => {
    assert.equal(barText(5_000_000, 0), "");
    assert.equal(barText(30_000_000, 120_000_000), " of 120.0 MB [=====               ] 25 %");
    assert.equal(barText(121_000_000, 120_000_000), " of 120.0 MB [====================] 100 %");
  });

  it("is not what a sandbox would like it to be", () => {
    for (const nonsense of [-1, Number.NaN]) assert.equal(barText(1, nonsense), "");
    assert.match(barText(1, Number.MAX_VALUE), /^ of \S+ PB \[ {20}\] 0 %$/);
  });

  it("is shown to nobody where there is no terminal", async () => {
    const stderr = new Writable({ write: () => assert.fail("there is nobody") });
    using progress = showProgress("copied", { stderr } as unknown as Parameters<typeof showProgress>[1]);
    assert.equal(progress.isShown, false);
    for await (const _ of progress.through(
      (async function* () {
        yield Buffer.alloc(1);
      })(),
    ));
  });
});
