import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { RpcError } from "../api/rpc-error.ts";
import { CommandFailure } from "../command-failure.ts";
import { printable, printableLine } from "./printable.ts";
import { structured } from "./structured.ts";
import { styleFor } from "./style.ts";
import { fields, table } from "./table.ts";
import { tellFailure } from "./tell-failure.ts";

describe("a table", () => {
  it("aligns its columns and leaves no blanks at the ends of lines", () => {
    const shown = table(
      [
        { title: "NAME", cell: (row: { name: string; phase: string }) => row.name },
        { title: "PHASE", cell: (row) => row.phase, paint: (padded) => `<${padded}>` },
        { title: "X", cell: () => "" },
      ],
      [
        { name: "a", phase: "Ready" },
        { name: "longer-name", phase: "Stopped" },
      ],
    );
    assert.equal(shown, "NAME         PHASE    X\na            <Ready  >\nlonger-name  <Stopped>\n");
  });

  it("leaves out fields without a value", () => {
    const shown = fields([
      ["Name", "a"],
      ["Exit code", undefined],
      ["Workspace", "b"],
    ]);
    assert.equal(shown, "Name:       a\nWorkspace:  b\n");
  });
});

describe("text from elsewhere", () => {
  it("cannot command the terminal", () => {
    assert.equal(printable("a\u001b[2Jb\u009b1m\nc\td\r"), "a\\x1b[2Jb\\x9b1m\nc\td\\x0d");
    assert.equal(printable("abc\u202edef"), "abc\\u202edef");
    assert.equal(printableLine("a\nb\tc"), "a\\nb\\tc");
    assert.equal(printable("grüße 日本 🙂"), "grüße 日本 🙂");
  });
});

describe("colours", () => {
  it("are for terminals whose user wants them", () => {
    assert.equal(styleFor({ isTTY: true }, {}).bad("x"), "\u001b[31mx\u001b[39m");
    assert.equal(styleFor({ isTTY: true }, { NO_COLOR: "1" }).bad("x"), "x");
    assert.equal(styleFor({ isTTY: true }, { TERM: "dumb" }).bad("x"), "x");
    assert.equal(styleFor({}, {}).bad("x"), "x");
  });
});

describe("values for programs", () => {
  it("come as JSON and as YAML", async () => {
    assert.equal(await structured("json", { a: [1] }), '{\n  "a": [\n    1\n  ]\n}\n');
    assert.equal(await structured("yaml", { a: [1] }), "a:\n  - 1\n");
  });
});

describe("a failure", () => {
  function told(error: unknown, asJson = false): { text: string; exitCode: number } {
    let text = "";
    const stderr = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    const exitCode = tellFailure(error, { world: { stderr, environment: {} }, asJson });
    return { text, exitCode };
  }

  it("says what happened and what to do", () => {
    const failure = new CommandFailure("it broke", { hint: "mend it" });
    assert.deepEqual(told(failure), { text: "error: it broke\nhint: mend it\n", exitCode: 1 });
  });

  it("is one JSON object for scripts", () => {
    const { text } = told(new RpcError("not_found", "no such sandbox"), true);
    const parsed = JSON.parse(text);
    assert.equal(parsed.error.code, "not_found");
    assert.equal(parsed.error.message, "no such sandbox");
  });

  it("of something that is not there says what lists such things", () => {
    for (const [what, command] of [
      ['sandbox "demo"', "sandbox list"],
      ['provider "github"', "provider list"],
      ['provider profile "tickets"', "provider profile list"],
      ['inference route "fast"', "inference list"],
      ["revision 7 of the policy", "policy history"],
    ] as const) {
      const hint = `hint: \`openshell ${command}\` shows what there is\n`;
      assert.ok(told(new RpcError("not_found", `${what} not found`)).text.endsWith(hint), what);
      assert.ok(told(new CommandFailure(`${what} not found`, { code: "not_found" })).text.endsWith(hint), what);
    }
    assert.equal(told(new RpcError("not_found", "the channel not found")).text, "error: the channel not found\n");
  });

  it("is printed harmlessly whatever the gateway says", () => {
    assert.match(told(new RpcError("internal", "\u001b]0;x")).text, /^error: \\x1b\]0;x\n/);
  });

  it("shows a defect with its stack", () => {
    assert.match(told(new TypeError("oops")).text, /TypeError: oops\n {4}at /);
  });
});
