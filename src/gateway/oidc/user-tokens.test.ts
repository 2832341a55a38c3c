/** Tokens as a provider makes them, and as somebody else would. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { base64url, exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { OidcSettings } from "./oidc-file.ts";
import { createUserTokens, type UserTokens } from "./user-tokens.ts";

describe("an identity provider's token", () => {
  let server: Server;
  let settings: OidcSettings;
  let tokens: UserTokens;
  const keys: { kid: string; pair: GenerateKeyPairResult }[] = [];
  let time = Date.parse("2030-01-01T00:00:00Z");

  before(async () => {
    await newKey("first");
    server = createServer(async (request, response) => {
      const discovered = { issuer: settings.issuer, jwks_uri: `${settings.issuer}/keys` };
      const published = keys.map(async ({ kid, pair }) => ({
        ...(await exportJWK(pair.publicKey)),
        kid,
        alg: "ES256",
      }));
      const body = request.url === "/keys" ? { keys: await Promise.all(published) } : discovered;
      response.end(JSON.stringify(body));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    settings = {
      issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      audience: "openshell",
      groupsClaim: "realm_access.roles",
      roles: new Map([
        ["staff", "viewer"],
        ["ops", "admin"],
      ]),
      workspaces: new Map([["web", new Map([["web-team", "user"]])]]),
    };
    tokens = createUserTokens(settings, () => time);
  });
  after(() => void server.close());

  async function newKey(kid: string): Promise<void> {
    keys.push({ kid, pair: await generateKeyPair("ES256") });
  }

  function token(claims: JWTPayload = {}, { kid = "first", signer = keys.find((key) => key.kid === kid) } = {}) {
    const all = { iss: settings.issuer, aud: "openshell", sub: "ann", exp: time / 1000 + 300, ...claims };
    const signing = signer?.pair.privateKey ?? keys[0]?.pair.privateKey;
    assert.ok(signing);
    return new SignJWT(all).setProtectedHeader({ alg: "ES256", kid }).sign(signing);
  }

  async function refusalOf(text: string): Promise<string> {
    try {
      await tokens.verify(text);
    } catch (error) {
      assert.ok(error instanceof ConnectError && error.code === Code.Unauthenticated, String(error));
      return error.rawMessage;
    }
    return assert.fail("the token is taken");
  }

  it("tells who somebody is, and by their groups what they may do, the strongest of them", async () => {
    const groups = { realm_access: { roles: ["staff", "ops", "web-team", "unknown"] }, name: "Ann Example" };
    const caller = await tokens.verify(await token(groups));
    assert.deepEqual(
      [caller.subject, caller.displayName, caller.identityProvider, caller.role],
      ["ann", "Ann Example", settings.issuer, "admin"],
    );
    assert.deepEqual([...caller.workspaceRoles], [["web", "user"]]);
    const stranger = await tokens.verify(await token({ sub: "eve" }));
    assert.deepEqual([stranger.role, stranger.workspaceRoles.size], [undefined, 0]);
  });

  it("is not taken from another issuer, for another audience, without an end or a subject, or when it has ended", async () => {
    assert.match(await refusalOf(await token({ iss: "https://other.example" })), /iss/);
    assert.match(await refusalOf(await token({ aud: "other" })), /audience "openshell"/);
    assert.match(await refusalOf(await token({ exp: time / 1000 - 60 })), /expired/);
    for (const claim of ["exp", "sub"])
      assert.match(await refusalOf(await token({ [claim]: undefined })), new RegExp(claim));
    assert.match(await refusalOf(await token({ nbf: time / 1000 + 600 })), /nbf/);
  });

  it("is not taken without a signature, or with one that anybody could make", async () => {
    const [, payload = ""] = (await token()).split(".");
    const unsigned = `${base64url.encode('{"alg":"none"}')}.${payload}.`;
    assert.match(await refusalOf(unsigned), /signed in a way/);
    const shared = new TextEncoder().encode(
      JSON.stringify(await exportJWK(keys[0]?.pair.publicKey as GenerateKeyPairResult["publicKey"])),
    );
    const confused = new SignJWT({ iss: settings.issuer, aud: "openshell", sub: "ann", exp: time / 1000 + 300 });
    assert.match(await refusalOf(await confused.setProtectedHeader({ alg: "HS256" }).sign(shared)), /signed in a way/);
    const other = { kid: "first", pair: await generateKeyPair("ES256") };
    assert.match(await refusalOf(await token({}, { signer: other })), /signature/);
    assert.match(await refusalOf("a.b.c"), /can't be read/);
    const changed = (await token()).split(".");
    changed[1] = base64url.encode(
      JSON.stringify({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "root" }),
    );
    assert.match(await refusalOf(changed.join(".")), /signature/);
  });

  it("is taken after the provider has changed its key, and no longer with the old one", async () => {
    const old = await token();
    await newKey("second");
    keys.shift();
    // The key set is asked for again at most every ten seconds, by the real clock; a gateway that starts has none yet.
    tokens = createUserTokens(settings, () => time);
    assert.equal((await tokens.verify(await token({}, { kid: "second" }))).subject, "ann");
    assert.match(await refusalOf(old), /unknown key/);
  });

  it("can't be verified while the provider is away, which is said, and can be when it is back", async () => {
    const away = createUserTokens({ ...settings, issuer: "http://127.0.0.1:9" }, () => time);
    const isAway = (error: unknown) => error instanceof ConnectError && error.code === Code.Unavailable;
    await assert.rejects(away.verify(await token({}, { kid: "second" })), isAway);
    time += 1000;
    assert.equal((await tokens.verify(await token({}, { kid: "second" }))).subject, "ann");
  });
});
