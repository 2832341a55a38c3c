import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { launchScript } from "./launch-script.ts";

describe("the script that starts a sandbox", () => {
  it("keeps paths as they are, whatever characters a policy gives them", () => {
    const odd = '/a\'b $(touch x) `y`\n"z" \\ ;';
    const script = launchScript([{ options: `ro,lowerdir=${odd}`, target: odd }]);
    // The shell itself says how it reads the line: every word as mount(8) would get it, with NUL after each.
    const line = script.slice(script.indexOf("mount -t overlay"), script.lastIndexOf("\nexec bwrap"));
    const words = execFileSync("sh", ["-c", `mount() { printf '%s\\0' "$@"; }\n${line}`], { encoding: "utf8" });
    assert.deepEqual(words.split("\0"), ["-t", "overlay", "-o", `ro,lowerdir=${odd}`, "overlay", odd, ""]);
  });

  it("stops at the first step that fails, before anything runs in the sandbox", () => {
    const script = launchScript([]);
    assert.match(script, /^set -e\n/);
    assert.ok(script.indexOf("nft -f") < script.indexOf("exec bwrap"));
  });
});
