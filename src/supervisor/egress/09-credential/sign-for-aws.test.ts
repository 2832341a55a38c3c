import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sha256 } from "../../../aws/sigv4.ts";
import { canonicalHost } from "../../../net/canonical-host.ts";
import type { Endpoint } from "../../../policy/policy.ts";
import { isRefusal } from "../connection.ts";
import { plainEndpoint } from "../test-support/loopback-world.ts";
import { Credentials } from "./credentials.ts";
import type { PlainRequest } from "./give-credentials.ts";
import { signForAws } from "./sign-for-aws.ts";

const idPlaceholder = "AKIAPLACEHOLDER00000";
const secretPlaceholder = "PLACEHOLDER0123456789012345678901234567";
const found = canonicalHost("s3.eu-west-1.amazonaws.com");
const host = found.ok ? found.host : assert.fail();

function keys(bound: string): Credentials {
  const endpoints = [{ host: bound, port: 443, path: "" }];
  return new Credentials({
    credentials: [
      { provider: "aws", key: "AWS_ACCESS_KEY_ID", placeholder: idPlaceholder, secret: "AKIAREAL", endpoints },
      { provider: "aws", key: "AWS_SECRET_ACCESS_KEY", placeholder: secretPlaceholder, secret: "real", endpoints },
    ],
  });
}

function request(fields: Readonly<Record<string, string>>, body = ""): PlainRequest {
  const signature = `AWS4-HMAC-SHA256 Credential=${idPlaceholder}/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00`;
  return {
    facts: { method: body === "" ? "GET" : "PUT" },
    host,
    forwarded: "/bucket/key?b=2&a=1",
    fields: Object.entries({ Authorization: signature, ...fields }).map(([name, value]) => {
      return { name, lower: name.toLowerCase(), value };
    }),
    hasBody: body !== "",
    content: { fieldValues: () => [], readBody: async () => Buffer.from(body) },
  };
}

async function sign(
  asked: PlainRequest,
  signing: NonNullable<Endpoint["credentialSigning"]> | "not-signed" = "sigv4",
  bound: string = host,
): Promise<Readonly<Record<string, string>> | string | undefined> {
  const endpoint = plainEndpoint({
    host,
    ...(signing !== "not-signed" && { credentialSigning: signing, signingService: "s3" }),
  });
  const connection = { destination: { host, port: 443 }, endpoints: [{ rule: "aws", endpoint }], inspected: true };
  const place = { connection, scheme: "https", path: "/bucket/key", now: 0 } as const;
  const signed = await signForAws(asked, place, keys(bound));
  if (signed === undefined) return undefined;
  return isRefusal(signed) ? signed.refused : Object.fromEntries(signed.map(({ lower, value }) => [lower, value]));
}

describe("a request that a client signed with placeholders", () => {
  it("is signed with the real key, for the service that the endpoint names", async () => {
    const fields = Object(await sign(request({ "x-amz-content-sha256": sha256("") })));
    const scope = "19700101/eu-west-1/s3/aws4_request";
    assert.ok(fields.authorization.startsWith(`AWS4-HMAC-SHA256 Credential=AKIAREAL/${scope}, SignedHeaders=host;`));
    assert.equal(fields["x-amz-date"], "19700101T000000Z");
    assert.doesNotMatch(JSON.stringify(fields), /PLACEHOLDER/);
  });

  it("has its body's digest signed, as the endpoint says", async () => {
    const hash = "x-amz-content-sha256";
    assert.equal(Object(await sign(request({ [hash]: "UNSIGNED-PAYLOAD" }, "x")))[hash], "UNSIGNED-PAYLOAD");
    assert.equal(Object(await sign(request({ [hash]: "UNSIGNED-PAYLOAD" }, "x"), "sigv4:body"))[hash], sha256("x"));
    assert.equal(Object(await sign(request({ [hash]: sha256("x") }, "x"), "sigv4:no_body"))[hash], "UNSIGNED-PAYLOAD");
  });

  it("is refused where the credential does not belong, and where each chunk has a signature of its own", async () => {
    assert.equal(await sign(request({}), "sigv4", "elsewhere.amazonaws.com"), "credential.endpoint_mismatch");
    const chunks = request({ "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" }, "x");
    assert.equal(await sign(chunks), "credential.unavailable");
  });

  it("is left alone with another's key, and where the endpoint does not sign", async () => {
    const other =
      "AWS4-HMAC-SHA256 Credential=AKIAOTHER/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=00";
    assert.equal(await sign(request({ Authorization: other })), undefined);
    assert.equal(await sign(request({}), "not-signed"), undefined);
  });
});
