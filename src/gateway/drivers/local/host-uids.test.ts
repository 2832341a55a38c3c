import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isMapped, openHostUids } from "./host-uids.ts";

describe("the machine's book of sandbox uids", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-uids-"));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });
  const sandbox = (name: string) => {
    const path = join(directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  };

  it("never gives a uid twice, not even to two gateways", () => {
    const path = join(directory, "two", "uids.db");
    const [first, second] = [openHostUids(path), openHostUids(path)];
    const uids = [first.take(sandbox("a")), second.take(sandbox("b")), first.take(sandbox("c"))];
    assert.equal(new Set(uids).size, 3);
  });

  it("knows whose a uid is", () => {
    const uids = openHostUids(join(directory, "whose", "uids.db"));
    const uid = uids.take(sandbox("g"));
    assert.equal(uids.holder(uid), sandbox("g"));
    assert.equal(uids.holder(uid + 1), undefined);
  });

  it("lets a released uid rest until the others have had their turn", () => {
    const uids = openHostUids(join(directory, "rest", "uids.db"));
    const [one, two] = [uids.take(sandbox("d")), uids.take(sandbox("e"))];
    uids.release(one);
    assert.notEqual(uids.take(sandbox("f")), one);
    assert.notEqual(one, two);
  });
});

describe("whether a process may give uids away", () => {
  it("is so for the machine's root, and not where the range is not mapped", () => {
    assert.equal(isMapped("         0          0 4294967295\n"), true);
    assert.equal(isMapped("         0       1000          1\n         1     100000      65536\n"), false);
  });
});
