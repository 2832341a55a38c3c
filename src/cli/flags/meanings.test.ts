import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ValueParser } from "./flag.ts";
import {
  byteSize,
  duration,
  environmentVariable,
  keyValue,
  localAndDestination,
  oneOf,
  processorShare,
  resourceName,
  wholeNumber,
} from "./meanings.ts";
import { endpointToAdd, endpointToRemove, mergeOperations, requestRule } from "./merge-operations.ts";
import { nearest } from "./nearest.ts";

function table<T>(parse: ValueParser<T>, good: Record<string, T>, bad: readonly string[]): void {
  for (const [typed, value] of Object.entries(good)) assert.deepEqual(parse(typed), { ok: true, value }, typed);
  for (const typed of bad) assert.equal(parse(typed).ok, false, typed);
}

describe("what is typed after a flag", () => {
  it("is a whole number within bounds", () => {
    table(wholeNumber(1, 65_535), { "1": 1, "65535": 65_535 }, ["", "0", "65536", "1.5", "-1", "0x10", "1e3", " 1"]);
  });

  it("is a size, or a share of the processors", () => {
    const sizes = { "512m": 2 ** 29, "2g": 2 ** 31, "1.5GiB": 1.5 * 2 ** 30, "1kb": 1024, "1048576": 2 ** 20 };
    table(byteSize, sizes, ["", "m", "0", "-1g", "1x", "1 g", "1e9", "99999999999999999"]);
    table(processorShare, { "2": 2000, "0.5": 500, "500m": 500 }, ["", "0", "-1", "two", "1g", "0.0001"]);
  });

  it("is a duration", () => {
    const good = { "5m": 300_000, "1h30m": 5_400_000, "90": 90_000, "250ms": 250, "2d": 172_800_000 };
    table(duration, good, ["", "m5", "5 m", "5y", "-5m"]);
  });

  it("is one of a few words", () => {
    table(oneOf(["a", "b"]), { a: "a" }, ["", "A", "c"]);
  });

  it("is a pair", () => {
    table(keyValue, { "a=b": ["a", "b"], "a=": ["a", ""], "a=b=c": ["a", "b=c"] }, ["", "a", "=b"]);
    table(environmentVariable, { "A_1=x y": ["A_1", "x y"] }, ["1A=x", "A-B=x", "A", "A=\0"]);
  });

  it("is a path here, and one in the sandbox", () => {
    const good = {
      src: { local: "src", destination: "." },
      "./a:b:/tmp/x": { local: "./a:b", destination: "/tmp/x" },
    };
    table(localAndDestination, good, ["", ":", ":/tmp", "src:"]);
  });

  it("is a name that can be part of a host name", () => {
    table(resourceName, { a: "a", "a-1": "a-1" }, ["", "A", "-a", "a-", "a.b", "a/b", "..", "a".repeat(64)]);
  });

  it("is an endpoint", () => {
    table(
      endpointToAdd,
      {
        "api.example.com:443": { host: "api.example.com", port: 443 },
        "a.b:1:read-only:rest:audit": {
          host: "a.b",
          port: 1,
          access: "read-only",
          protocol: "rest",
          enforcement: "audit",
        },
        "a.b:1::rest": { host: "a.b", port: 1, protocol: "rest" },
        "[::1]:80": { host: "::1", port: 80 },
      },
      ["", "a", "a:0", "a:65536", "a:b", ":1", "a:1:b:c:d:e", "::1:80"],
    );
    table(endpointToRemove, { "a.b:1": { host: "a.b", port: 1 } }, ["a.b", "a.b:1:full"]);
  });

  it("is a rule for requests, whose path may hold colons", () => {
    table(
      requestRule,
      {
        "a.b:443:get:/x/**": { host: "a.b", port: 443, method: "GET", path: "/x/**" },
        "a.b:1:*:/a:b": { host: "a.b", port: 1, method: "*", path: "/a:b" },
      },
      ["a.b:443", "a.b:443:GET", "a.b:443::/x"],
    );
  });
});

describe("the changes of one update", () => {
  it("become operations: removals first, then additions with their programs", () => {
    const operations = mergeOperations({
      addEndpoints: [{ host: "api.example.com", port: 443, access: "read-only" }],
      removeEndpoints: [{ host: "old.example.com", port: 80 }],
      addAllow: [],
      addDeny: [
        { host: "API.example.com", port: 443, method: "DELETE", path: "/a" },
        { host: "old.example.com", port: 443, method: "DELETE", path: "/**" },
      ],
      removeRules: ["stale"],
      binaries: ["/usr/bin/curl"],
    });
    assert.deepEqual(
      operations.map((operation) => Object.keys(operation)[0]),
      ["removeRule", "removeEndpoint", "addRule", "addDenyRules"],
    );
    assert.deepEqual(operations[2], {
      addRule: {
        ruleName: "api_example_com_443",
        rule: {
          name: "api_example_com_443",
          endpoints: [
            {
              host: "api.example.com",
              port: 443,
              ports: [443],
              access: "read-only",
              rules: [],
              denyRules: [{ method: "DELETE", path: "/a" }],
            },
          ],
          binaries: [{ path: "/usr/bin/curl" }],
        },
      },
    });
  });
});

describe("the nearest known word", () => {
  it("is found across a typing mistake and not further", () => {
    const known = ["create", "list", "get", "delete", "exec", "stop", "start"];
    assert.equal(nearest("crate", known), "create");
    assert.equal(nearest("craete", known), "create");
    assert.equal(nearest("del", known), "delete");
    assert.equal(nearest("lsit", known), "list");
    assert.equal(nearest("rm", known), undefined);
    assert.equal(nearest("sandbox", known), undefined);
  });
});
