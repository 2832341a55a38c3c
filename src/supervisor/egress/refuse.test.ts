import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseResponseHead } from "../../net/http1-head.ts";
import { type ReasonCode, reasonCodes, reasonEntry } from "../../policy/reason-codes.ts";
import { printable, refusalResponse } from "./refuse.ts";

const options = { requestId: "id-1", sandboxName: "box", close: false, withBody: true };

describe("the answer to a refusal", () => {
  for (const code of Object.keys(reasonCodes) as ReasonCode[]) {
    it(`${code} is well-formed HTTP with its reason, or nothing`, () => {
      const text = refusalResponse({ refused: code, detail: "what was asked" }, options);
      const { status } = reasonEntry(code);
      if (status === undefined) return assert.equal(text, undefined);
      const parsed = parseResponseHead(Buffer.from(text ?? "", "latin1"));
      assert.ok(parsed.kind === "head");
      assert.equal(parsed.head.status, status);
      assert.notEqual(parsed.head.reason, "Refused", "the status has its own phrase");
      const body = text?.slice(parsed.length) ?? "";
      const length = parsed.head.fields.find(({ lower }) => lower === "content-length")?.value;
      assert.equal(length, `${body.length}`);
      const { reason, error, request_id, rule, hint } = JSON.parse(body);
      assert.equal(reason, code);
      assert.equal(request_id, "id-1");
      assert.equal(rule, null);
      assert.match(error, /^[a-z_]+$/);
      assert.doesNotMatch(hint, /NAME/);
    });
  }

  it("holds nothing from the wire but printable ASCII", () => {
    const detail = `GET /\x1b[2J\r\nSet-Cookie: x\u00e9${"a".repeat(1000)}`;
    const text = refusalResponse({ refused: "inspect.no_rule", detail, rule: "r\x07" }, options) ?? "";
    const body = JSON.parse(text.slice(text.indexOf("{")));
    assert.match(body.detail, /^GET \/\?\[2J\?\?Set-Cookie: x\?a+$/);
    assert.equal(body.detail, printable(detail));
    assert.ok(body.detail.length <= 512);
    assert.equal(body.rule, "r?");
    assert.ok(!/[^\x20-\x7e\r\n]/.test(text));
  });

  it("names the command that explains it, as it can be run", () => {
    const text = refusalResponse({ refused: "decide.implicit_deny", detail: "" }, options) ?? "";
    const { hint } = JSON.parse(text.slice(text.indexOf("{")));
    assert.match(hint, /`openshell policy explain box`/);
  });

  it("has no body for HEAD, but its length", () => {
    const text = refusalResponse({ refused: "inspect.no_rule", detail: "" }, { ...options, withBody: false }) ?? "";
    assert.match(text, /Content-Length: [1-9][0-9]*\r\n[\s\S]*\r\n\r\n$/);
  });
});
