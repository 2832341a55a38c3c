import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { redactCommandLine, redactText } from "./redact.ts";
import { Secret } from "./secret.ts";

const r = "[redacted]";

describe("a command line on its way to the log", () => {
  const cases: readonly (readonly [name: string, given: readonly string[], want: string])[] = [
    ["keeps what is no secret", ["git", "clone", "https://git.invalid/a.git"], "git clone https://git.invalid/a.git"],
    ["hides the value after an option", ["tool", "--token", "abc", "x"], `tool --token ${r} x`],
    ["hides the value in an option", ["tool", "--api-key=abc"], `tool --api-key=${r}`],
    ["hides the value of a variable", ["env", "GITHUB_TOKEN=abc", "make"], `env GITHUB_TOKEN=${r} make`],
    ["hides a header", ["curl", "-H", "Authorization: Bearer abc"], `curl -H Authorization: ${r}`],
    ["hides a cookie", ["curl", "-H", "cookie: a=b"], `curl -H cookie: ${r}`],
    ["hides user and password", ["curl", "-u", "me:pw"], `curl -u ${r}`],
    ["keeps what follows python's -u", ["python3", "-u", "main.py"], "python3 -u main.py"],
    [
      "hides what stands before a URL's host",
      ["git", "fetch", "https://me:pw@git.invalid/"],
      `git fetch https://${r}@git.invalid/`,
    ],
    [
      "hides values in a URL's query",
      ["curl", "http://a.invalid/?key=abc&x=1"],
      `curl http://a.invalid/?key=${r}&x=${r}`,
    ],
    [
      "hides a token in a path",
      ["curl", `https://a.invalid/botghp_${"a".repeat(36)}/x`],
      `curl https://a.invalid/bot${r}/x`,
    ],
    ["hides tokens by their shape", ["echo", `ghp_${"a".repeat(36)}`], `echo ${r}`],
  ];
  for (const [name, given, want] of cases) it(name, () => assert.equal(redactCommandLine(given), want));

  it("is cut, whatever it is made of", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 5000 }), { maxLength: 100 }), (given) => {
        assert.ok(redactCommandLine(given).length <= 2049);
      }),
    );
  });

  it("takes little time for a line that is made to be slow", () => {
    const slow = ["token".repeat(50_000), "eyJ".repeat(50_000), "?a=".repeat(50_000)];
    const before = performance.now();
    redactCommandLine(slow);
    assert.ok(performance.now() - before < 500);
  });
});

it("text keeps everything else", () => {
  assert.equal(redactText("no secrets here: 1 ? 2 : 3"), "no secrets here: 1 ? 2 : 3");
});

describe("a secret", () => {
  const secret = new Secret("hunter2");

  it("does not show in anything that prints it", () => {
    assert.equal(`${secret}`, r);
    assert.equal(JSON.stringify({ secret }), `{"secret":"${r}"}`);
    assert.equal(inspect({ secret }), `{ secret: ${r} }`);
  });

  it("is had on demand, and compared", () => {
    assert.equal(secret.reveal(), "hunter2");
    assert.equal(secret.equals(new Secret("hunter2")), true);
    assert.equal(secret.equals(new Secret("hunter3")), false);
    assert.equal(secret.equals(new Secret("longer than that")), false);
  });
});
