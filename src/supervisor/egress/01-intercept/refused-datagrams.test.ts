import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import { DatagramReports } from "./refused-datagrams.ts";

const at = (number: number) => ({ host: `203.0.${number >> 8}.${number & 255}` as CanonicalHost, port: 443 });

describe("refused datagrams", () => {
  it("to one place are put on record once in a while", () => {
    let now = 1_000_000;
    const reports = new DatagramReports(() => now);
    assert.equal(reports.take(at(1)), 0);
    now += 9_999;
    assert.equal(reports.take(at(1)), undefined);
    now += 1;
    assert.equal(reports.take(at(1)), 0);
  });

  it("to every place there is do not fill the log, and are counted", () => {
    let now = 1_000_000;
    const reports = new DatagramReports(() => now);
    const reported = Array.from({ length: 60_000 }, (_, place) => reports.take(at(place)) !== undefined);
    assert.equal(reported.filter(Boolean).length, 200);
    now += 1_000;
    assert.equal(reports.take(at(60_000)), 60_000 - 200);
  });
});
