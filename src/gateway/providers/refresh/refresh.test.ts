/** Renewing a credential, against a token endpoint on loopback. */
import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { ProviderCredentialRefreshStrategy as Strategy } from "../../../gen/openshell/v1/provider_pb.ts";
import { startTestGateway, type TestGateway } from "../../test-support/test-gateway.ts";

function isCode(code: Code, words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ConnectError && error.code === code && words.test(error.rawMessage);
}

describe("a credential that the gateway renews", () => {
  let gateway: TestGateway;
  let endpoint: Server;
  let answer: { status: number; body: unknown } = { status: 200, body: {} };
  let signature = "";
  const forms: URLSearchParams[] = [];
  let tokenUrl = "";

  before(async () => {
    endpoint = createServer((request, response) => {
      void text(request).then((form) => {
        forms.push(new URLSearchParams(form));
        signature = request.headers.authorization ?? "";
        const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
        response.writeHead(answer.status).end(body);
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
    tokenUrl = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`;
    gateway = await startTestGateway();
    await gateway.client.createProvider({ provider: { metadata: { name: "service" }, type: "generic" } });
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
    endpoint.close();
  });

  const configure = (
    credentialKey: string,
    strategy: Strategy,
    material: Record<string, string>,
    provider = "service",
  ) =>
    gateway.client.configureProviderRefresh({
      provider,
      credentialKey,
      strategy,
      material: { token_url: tokenUrl, ...material },
    });
  const material = { client_id: "me", client_secret: "s" };
  const later = (credentialKey: string, provider = "service") => ({
    provider,
    credentialKey,
    strategy: Strategy.OAUTH2_CLIENT_CREDENTIALS,
    material: { token_url: tokenUrl, ...material },
  });
  const shown = async () => (await gateway.client.getProvider({ name: "service" })).provider;

  it("is fetched at once, and again before it ends, with the newest refresh token", async () => {
    answer = { status: 200, body: { access_token: "at-1", expires_in: 1000, refresh_token: "rt-2" } };
    const { status } = await configure("TOKEN", Strategy.OAUTH2_REFRESH_TOKEN, {
      client_id: "me",
      refresh_token: "rt-1",
    });
    assert.equal(status?.status, "ok");
    const ahead = Number(status?.expiresAtMs) - Number(status?.nextRefreshAtMs);
    assert.ok(ahead >= 160_000 && ahead <= 200_000, `${ahead} ms before its end`);
    assert.deepEqual((await shown())?.credentials, { TOKEN: "[redacted]" });
    await gateway.client.rotateProviderCredential({ provider: "service", credentialKey: "TOKEN" });
    assert.deepEqual(
      forms.slice(-2).map((form) => form.get("refresh_token")),
      ["rt-1", "rt-2"],
    );
  });

  it("is kept while renewing fails, which is shown and tried again ever more seldom", async () => {
    answer = { status: 400, body: { error: "invalid_grant", error_description: "revoked", access_token: "at-leak" } };
    const failure = async () => {
      const { status } = await gateway.client.rotateProviderCredential({ provider: "service", credentialKey: "TOKEN" });
      assert.equal(status?.status, "failing");
      assert.equal(status?.lastError, "the token endpoint answers 400 invalid_grant: revoked");
      return Number(status?.nextRefreshAtMs) - Date.now();
    };
    const first = await failure();
    const second = await failure();
    assert.ok(second > first * 1.5, `${first} ms, then ${second} ms`);
    assert.deepEqual((await shown())?.credentials, { TOKEN: "[redacted]" });
    assert.equal(gateway.log.join("\n").includes("rt-"), false);
  });

  it("is asked for with a client's own credentials, or a service account's signature", async () => {
    answer = { status: 200, body: { access_token: "at" } };
    await configure("CLIENT", Strategy.OAUTH2_CLIENT_CREDENTIALS, {
      client_id: "me",
      client_secret: "s",
      scope: "a b",
    });
    assert.equal(forms.at(-1)?.toString(), "grant_type=client_credentials&client_id=me&client_secret=s&scope=a+b");
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const account = JSON.stringify({ client_email: "robot@example.invalid", private_key: privateKey });
    await configure("ROBOT", Strategy.GOOGLE_SERVICE_ACCOUNT_JWT, { service_account_json: account, scope: "s" });
    const [head = "", claims = "", signature = ""] = forms.at(-1)?.get("assertion")?.split(".") ?? [];
    const signed = Buffer.from(`${head}.${claims}`);
    assert.ok(verify("RSA-SHA256", signed, createPublicKey(publicKey), Buffer.from(signature, "base64url")));
    const { iss, aud, scope } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, string>;
    assert.deepEqual({ iss, aud, scope }, { iss: "robot@example.invalid", aud: tokenUrl, scope: "s" });
  });

  it("is renewed and ends when its profile says so", async () => {
    const credential = {
      name: "token",
      envVars: ["SHORT_TOKEN"],
      refresh: {
        strategy: Strategy.OAUTH2_CLIENT_CREDENTIALS,
        tokenUrl,
        material: [{ name: "tenant", required: true, secret: true }],
        refreshBeforeSeconds: 120n,
        maxLifetimeSeconds: 900n,
      },
    };
    await gateway.client.importProviderProfiles({
      profiles: [{ profile: { id: "short", credentials: [credential] } }],
    });
    await gateway.client.createProvider({ provider: { metadata: { name: "short" }, type: "short" } });
    answer = { status: 200, body: { access_token: "at", expires_in: 7200 } };
    const configureShort = (more: Record<string, string>) =>
      configure("SHORT_TOKEN", Strategy.OAUTH2_CLIENT_CREDENTIALS, { ...material, ...more }, "short");
    await assert.rejects(configureShort({}), isCode(Code.InvalidArgument, /needs the material tenant/));
    const { status } = await configureShort({ tenant: "canary-tenant" });
    const [expires, next] = [Number(status?.expiresAtMs), Number(status?.nextRefreshAtMs)];
    const life = expires - Date.now();
    assert.ok(life > 840_000 && life <= 900_000, `it lives for ${life} ms`);
    const kept = readdirSync(join(gateway.directory, "state")).filter((name) => name.startsWith("state.db"));
    const holding = (text: string) =>
      kept.filter((name) => readFileSync(join(gateway.directory, "state", name)).includes(text));
    assert.notDeepEqual(holding("client_id"), [], "the names of material are there");
    assert.deepEqual(holding("canary-tenant"), []);
    assert.ok(expires - next >= 120_000 && expires - next <= 150_000, `${expires - next} ms before its end`);
  });

  it("is kept until its own end comes near, where the request says when that is", async () => {
    await assert.rejects(
      gateway.client.configureProviderRefresh({ ...later("NEVER_GIVEN"), expiresAtMs: BigInt(Date.now()) }),
      isCode(Code.InvalidArgument, /no credential NEVER_GIVEN yet/),
    );
    const provider = { metadata: { name: "given" }, type: "generic", credentials: { GIVEN: "by-hand" } };
    await gateway.client.createProvider({ provider });
    const asked = forms.length;
    const expiresAtMs = BigInt(Date.now() + 1_000_000);
    const { status } = await gateway.client.configureProviderRefresh({ ...later("GIVEN", "given"), expiresAtMs });
    assert.equal(status?.status, "pending");
    assert.equal(status?.expiresAtMs, expiresAtMs);
    const ahead = Number(expiresAtMs - (status?.nextRefreshAtMs ?? 0n));
    assert.ok(ahead >= 150_000 && ahead <= 200_000, `${ahead} ms before its end`);
    assert.equal(forms.length, asked, "nobody was asked for another");
  });

  it("is for others to renew where the strategy is external", async () => {
    await assert.rejects(
      configure("TOKEN", Strategy.EXTERNAL, {}),
      isCode(Code.InvalidArgument, /give the new one with `provider update`/),
    );
    const credential = { name: "t", envVars: ["OUTSIDE"], required: true, refresh: { strategy: Strategy.EXTERNAL } };
    await gateway.client.importProviderProfiles({
      profiles: [{ profile: { id: "outside", credentials: [credential] } }],
    });
    await assert.rejects(
      gateway.client.createProvider({ provider: { metadata: { name: "outside" }, type: "outside" } }),
      isCode(Code.InvalidArgument, /needs a credential OUTSIDE/),
    );
    const provider = { metadata: { name: "outside" }, type: "outside", credentials: { OUTSIDE: "by-hand" } };
    await gateway.client.createProvider({ provider: { ...provider, credentialExpiresAtMs: { OUTSIDE: 5n } } });
    const { credentials } = await gateway.client.getProviderRefreshStatus({ provider: "outside" });
    assert.deepEqual(
      credentials.map(({ credentialKey, status, expiresAtMs }) => ({ credentialKey, status, expiresAtMs })),
      [{ credentialKey: "OUTSIDE", status: "external", expiresAtMs: 5n }],
    );
  });

  it("is AWS's for a role, whose three parts come together", async () => {
    const expiration = new Date(Date.now() + 1_800_000).toISOString();
    const credentials = ["AccessKeyId>ASIAROLE", "SecretAccessKey>role-canary", "SessionToken>session/+="].map(
      (each) => `<${each}</${each.replace(/>.*/, "")}>`,
    );
    answer = {
      status: 200,
      body: `<AssumeRoleResponse><Credentials>${credentials.join("")}<Expiration>${expiration}</Expiration></Credentials></AssumeRoleResponse>`,
    };
    // Without credentials: the gateway gets them.
    await gateway.client.createProvider({ provider: { metadata: { name: "role" }, type: "aws" } });
    const material = {
      role_arn: "arn:aws:iam::1:role/agents",
      aws_access_key_id: "AKIASOURCE",
      aws_secret_access_key: "source-canary",
      aws_region: "eu-west-1",
      external_id: "x",
    };
    const { status } = await configure("AWS_ACCESS_KEY_ID", Strategy.AWS_STS_ASSUME_ROLE, material, "role");
    assert.equal(status?.status, "ok", status?.lastError ?? "");
    assert.match(signature, /^AWS4-HMAC-SHA256 Credential=AKIASOURCE\/\d{8}\/eu-west-1\/sts\/aws4_request/);
    const form = Object.fromEntries(forms.at(-1) ?? new URLSearchParams());
    assert.deepEqual(
      [form["Action"], form["RoleArn"], form["RoleSessionName"], form["ExternalId"]],
      ["AssumeRole", "arn:aws:iam::1:role/agents", "openshell", "x"],
    );
    const role = (await gateway.client.getProvider({ name: "role" })).provider;
    const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    assert.deepEqual(Object.keys(role?.credentials ?? {}).sort(), names);
    assert.equal(new Set(Object.values(role?.credentialExpiresAtMs ?? {})).size, 1);
    answer = {
      status: 403,
      body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not for you</Message></Error></ErrorResponse>",
    };
    const again = await gateway.client.rotateProviderCredential({ provider: "role", credentialKey: names[0] ?? "" });
    assert.equal(again.status?.lastError, "AWS's token service answers 403 AccessDenied: not for you");
    assert.ok(!gateway.log.join("\n").includes("canary"));
    await assert.rejects(
      configure("OTHER", Strategy.AWS_STS_ASSUME_ROLE, material, "role"),
      isCode(Code.InvalidArgument, /AWS_ACCESS_KEY_ID/),
    );
  });

  it("is not configured with what could not work", async () => {
    const refused = (material: Record<string, string>, words: RegExp) =>
      assert.rejects(configure("X", Strategy.OAUTH2_CLIENT_CREDENTIALS, material), isCode(Code.InvalidArgument, words));
    await refused({ client_id: "me" }, /client_secret/);
    const whole = { client_id: "me", client_secret: "s" };
    await refused({ ...whole, token_url: "http://elsewhere.invalid/token" }, /https/);
    await assert.rejects(configure("X", Strategy.EXTERNAL, whole), isCode(Code.InvalidArgument, /strategy/));
    const unknown = { provider: "service", credentialKey: "NONE" };
    await assert.rejects(gateway.client.rotateProviderCredential(unknown), isCode(Code.NotFound, /NONE/));
    assert.equal(
      (await gateway.client.deleteProviderRefresh({ provider: "service", credentialKey: "ROBOT" })).deleted,
      true,
    );
    const { credentials } = await gateway.client.getProviderRefreshStatus({ provider: "service" });
    assert.deepEqual(
      credentials.map(({ credentialKey }) => credentialKey),
      ["TOKEN", "CLIENT"],
    );
  });
});
