import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyOnWriteOptions, readOnlyOverlayOptions } from "./overlay-options.ts";

describe("the options of an overlay", () => {
  it("escape what would end an option or a layer", () => {
    const options = copyOnWriteOptions("/a,b:c", "/l\\m");
    assert.equal(options, "userxattr,lowerdir=/a\\,b\\:c,upperdir=/l\\\\m/upper,workdir=/l\\\\m/work");
    assert.equal(readOnlyOverlayOptions("/u:1", "/l"), "ro,lowerdir=/u\\:1:/l");
  });
});
