import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalTarget } from "./canonical-path.ts";

/** The canonical path, or `refused`. */
function pathOf(text: string): string {
  const result = canonicalTarget(text);
  return result.ok ? result.target.path : "refused";
}

function forwardedOf(text: string): string {
  const result = canonicalTarget(text);
  return result.ok ? result.target.forwarded : "refused";
}

describe("a path is made canonical", () => {
  const cases: readonly (readonly [asked: string, path: string, forwarded: string])[] = [
    ["/", "/", "/"],
    ["/a/b/", "/a/b/", "/a/b/"],
    ["/%41%7Eb", "/A~b", "/A~b"],
    ["/caf%c3%a9", "/caf%C3%A9", "/caf%C3%A9"],
    ["/a%20b", "/a%20b", "/a%20b"],
    ["/a|b", "/a%7Cb", "/a%7Cb"],
    ["/%40scope/x", "/@scope/x", "/%40scope/x"],
    ["/a%2bb", "/a+b", "/a%2Bb"],
    ["/@scope%2fname", "/@scope%2Fname", "/@scope%2Fname"],
    ["/100%25", "/100%25", "/100%25"],
    ["/100%25ab", "/100%25ab", "/100%25ab"],
    ["/.well-known/x", "/.well-known/x", "/.well-known/x"],
    ["/a...b/...", "/a...b/...", "/a...b/..."],
    ["/a%3Fb", "/a%3Fb", "/a%3Fb"],
    ["/a;v=1/b", "/a;v=1/b", "/a;v=1/b"],
  ];
  for (const [asked, path, forwarded] of cases) {
    it(asked, () => {
      assert.equal(pathOf(asked), path);
      assert.equal(forwardedOf(asked), forwarded);
    });
  }

  it("and says when it holds an encoded slash", () => {
    const result = canonicalTarget("/a%2Fb");
    assert.ok(result.ok && result.target.hasEncodedSlash);
    const plain = canonicalTarget("/a/b");
    assert.ok(plain.ok && !plain.target.hasEncodedSlash);
  });
});

describe("a path that an origin could read differently is refused", () => {
  const refused = [
    "",
    "a",
    "/..",
    "/.",
    "/a/../b",
    "/a/./b",
    "/a/..",
    "/%2e%2e/b",
    "/.%2e/b",
    "/%2E/b",
    "/a/..;x/b",
    "/a/..%3Bx/b",
    "/a/.;/b",
    "/a%2F..%2Fb",
    "/a%2f%2e%2e",
    "//",
    "//a",
    "/a//b",
    "/a//",
    "/%2Fa",
    "/a/%2F",
    "/a%2F/b",
    "/a%5Cb",
    "/a\\b",
    "/..\\b",
    "/a%00b",
    "/a%0d%0ab",
    "/a%7f",
    "/a%",
    "/a%4",
    "/a%zz",
    "/a%+1",
    "/%252e%252e/b",
    "/%252fb",
    "/%255cb",
    "/%2500",
    "/%25252e",
    "/%2525252Fx",
    "/%252%65%252%65/b",
    "/%25%32%65%25%32%65/b",
    "/a%252%66b",
    "/%252%3500",
    "/%c0%ae%c0%ae/",
    "/%c0%af",
    "/%e0%80%af",
    "/%f0%80%80%af",
    "/%ed%a0%80",
    "/%ff",
    "/%c3",
    "/%c3x",
    "/%80",
  ];
  for (const path of refused) it(path, () => assert.equal(pathOf(path), "refused"));
});

describe("a query", () => {
  it("is decoded for the rules and forwarded as it came", () => {
    const result = canonicalTarget("/s?q=a+b%21&q=%C3%A9&flag&=x&&e=");
    assert.ok(result.ok);
    assert.deepEqual(result.target.query, [
      ["q", "a b!"],
      ["q", "é"],
      ["flag", ""],
      ["", "x"],
      ["e", ""],
    ]);
    assert.equal(result.target.forwarded, "/s?q=a+b%21&q=%C3%A9&flag&=x&&e=");
  });

  for (const query of ["?a=%", "?a=%zz", "?a=%ff", "?%c0%ae=1", "?a=%00"]) {
    it(`${query} is refused`, () => assert.equal(pathOf(`/${query}`), "refused"));
  }
});

describe("whatever the path", () => {
  const piece = fc.constantFrom(
    ..."/ . .. ; %2f %2F %2e %2E %25 25 2e 2f 2 %32 %65 %66 %35 %5c \\ %41 a Z ~ @ %40 + %2B %3b %c3%a9 %c0 %80 %00 % | é?".split(
      " ",
    ),
  );
  const anyPath = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`),
    fc.string({ unit: "binary-ascii" }).map((text) => `/${text}`),
  );

  it("canonicalisation is idempotent, in both forms", () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const once = canonicalTarget(path);
        if (!once.ok) return;
        const ofForwarded = canonicalTarget(once.target.forwarded);
        assert.deepEqual(ofForwarded, once);
        assert.equal(pathOf(once.target.path), once.target.path);
      }),
      { numRuns: 2000 },
    );
  });

  it("no decoding of the result, once or twice, brings up a dot segment or a backslash", () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const result = canonicalTarget(path);
        if (!result.ok) return;
        let text = result.target.forwarded.split("?")[0] ?? "";
        for (let round = 0; round < 3; round++) {
          for (const segment of text.split(/[/\\]/)) assert.ok(!/^\.\.?(;|$)/.test(segment), `${path} → ${text}`);
          assert.ok(!text.includes("\\"));
          text = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
