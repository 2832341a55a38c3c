/** Held against the examples that AWS publishes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Field } from "../net/http1-fields.ts";
import { Secret } from "../secrets/secret.ts";
import { type RequestToSign, sha256, signedFields } from "./sigv4.ts";

const suiteKey = {
  accessKeyId: new Secret("AKIDEXAMPLE"),
  secretAccessKey: new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
};
const s3Key = {
  accessKeyId: new Secret("AKIAIOSFODNN7EXAMPLE"),
  secretAccessKey: new Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
};
const empty = sha256("");

function signature(request: Partial<RequestToSign>, key = suiteKey): string {
  const whole = {
    method: "GET",
    target: "/",
    host: "example.amazonaws.com",
    fields: [],
    payloadHash: empty,
    region: "us-east-1",
    service: "service",
    now: Date.parse("2015-08-30T12:36:00Z"),
    ...request,
  };
  const value = signedFields(whole, key).find(({ lower }) => lower === "authorization")?.value ?? "";
  return /Signature=([0-9a-f]{64})$/.exec(value)?.[1] ?? value;
}

const field = (name: string, value: string): Field => ({ name, lower: name.toLowerCase(), value });

describe("a request signed for AWS", () => {
  it("has the signature of the published test suite", () => {
    assert.equal(signature({}), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    assert.equal(
      signature({ target: "/?Param2=value2&Param1=value1" }),
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    assert.equal(signature({ method: "POST" }), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  });

  it("has the signature of S3's example of a list of objects", () => {
    const got = signature(
      {
        target: "/?max-keys=2&prefix=J",
        host: "examplebucket.s3.amazonaws.com",
        fields: [field("x-amz-content-sha256", empty)],
        service: "s3",
        now: Date.parse("2013-05-24T00:00:00Z"),
      },
      s3Key,
    );
    assert.equal(got, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  });

  it("keeps nothing of the signature that it had, and carries the session's token", () => {
    const before = [
      field("Authorization", "AWS4-HMAC-SHA256 Credential=old"),
      field("X-Amz-Security-Token", "old"),
      field("Accept", "*/*"),
    ];
    const request = {
      ...{ method: "GET", target: "/", host: "example.amazonaws.com", fields: before, payloadHash: empty },
      ...{ region: "us-east-1", service: "service", now: 0 },
    };
    const after = signedFields(request, { ...suiteKey, sessionToken: new Secret("session") });
    assert.deepEqual(
      after.map(({ lower }) => lower),
      ["accept", "x-amz-date", "x-amz-security-token", "authorization"],
    );
    assert.match(after.at(-1)?.value ?? "", /SignedHeaders=host;x-amz-date;x-amz-security-token, /);
    assert.equal(JSON.stringify(after).includes("old"), false);
  });
});
