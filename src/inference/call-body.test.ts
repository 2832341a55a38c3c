import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type CallBody, readCallBody, withMembers, withModel } from "./call-body.ts";

function read(text: string): CallBody {
  const result = readCallBody(Buffer.from(text));
  assert.ok(result.ok, text);
  return result.body;
}

const jsonObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });

describe("a call's body", () => {
  it("gets another model, and every other byte stays as it was", () => {
    const text = '{ "messages" : [{"model":"inner","a":1.50}],\n\t"model" : "gpt-\\u0034o" , "n":1e3 }';
    const changed = withModel(read(text), "fast").toString();
    assert.equal(changed, text.replace('"gpt-\\u0034o"', '"fast"'));
  });

  it("gets a model where it has none", () => {
    assert.equal(withModel(read('{"a":1}'), "m").toString(), '{"model":"m","a":1}');
    assert.equal(withModel(read(" {\n} "), "m").toString(), ' {"model":"m"\n} ');
  });

  it("means the same with another model, whatever it holds and wherever the model is", () => {
    fc.assert(
      fc.property(jsonObject, fc.nat(6), fc.constantFrom(undefined, 1, "\t"), (members, at, indent) => {
        const entries = Object.entries(members).filter(([name]) => name !== "model" && name !== "stream");
        entries.splice(at, 0, ["model", 'as "asked"']);
        const object = Object.fromEntries(entries);
        const body = read(JSON.stringify(object, null, indent));
        assert.equal(body.model, 'as "asked"');
        const changed = JSON.parse(withModel(body, "served\n").toString());
        assert.deepEqual(changed, { ...JSON.parse(JSON.stringify(object)), model: "served\n" });
      }),
    );
  });

  it("loses its model where the backend has that in its path, and says its version instead", () => {
    fc.assert(
      fc.property(jsonObject, fc.nat(6), fc.nat(3), (members, at, indent) => {
        const entries = Object.entries(members).filter(([name]) => !["model", "stream", "v"].includes(name));
        const rest = JSON.parse(JSON.stringify(Object.fromEntries(entries)));
        entries.splice(at, 0, ["model", "x"]);
        const changed = withMembers(read(JSON.stringify(Object.fromEntries(entries), null, indent)), ["model"], {
          v: "1",
        });
        assert.deepEqual(JSON.parse(changed.toString()), { ...rest, v: "1" });
      }),
    );
  });

  it("keeps the version that the caller gives", () => {
    assert.equal(withMembers(read('{"v":"2","model":"x"}'), ["model"], { v: "1" }).toString(), '{"v":"2"}');
  });

  for (const [what, text] of [
    ["two models", '{"model":"a","model":"b"}'],
    ["two models, one of them in disguise", '{"model":"a","mod\\u0065l":"b"}'],
    ["stream said twice", '{"stream":true,"stream":false}'],
    ["a model that is no text", '{"model":["a"]}'],
    ["stream that is a text", '{"stream":"true"}'],
    ["no object", "[]"],
    ["a trailing comma", '{"model":"a",}'],
    ["a comment", '{"model":"a"}//'],
    ["nothing", ""],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xc0, 0x22, 0x3a, 0x31, 0x7d])],
  ] as const) {
    it(`is refused with ${what}`, () => assert.equal(readCallBody(Buffer.from(text)).ok, false));
  }
});
