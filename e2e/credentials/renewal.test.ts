/**
 * The contract: a credential that ends is fetched and renewed by the gateway, ahead of its end, by each of the ways that
 * services offer; the sandbox holds one placeholder all the time, and what renews it never leaves the gateway.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ModelBackend } from "../../src/inference/test-support/model-backend.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";
import { type Grant, TokenEndpoint } from "../support/token-endpoint.ts";
import { world } from "../support/world.ts";

const tokenUrl = "https://files.example.test/token";

/** A type of one's own, whose tokens are renewed in the middle of their short life. */
const mailProfile = `
id: mail
display_name: Mail
category: messaging
credentials:
  - name: token
    env_vars: [MAIL_TOKEN]
    auth_style: bearer
    refresh: { strategy: oauth2-refresh-token, token_url: "${tokenUrl}", scopes: [mail.read], refresh_before_seconds: 8 }
endpoints:
  - { host: api.example.test, port: 443, path: /mail/**, protocol: rest, access: read-only }
binaries: [{ path: any }]
`;
const mailSeconds = 16;

const policy = `version: 1
network_policies:
  crm:
    endpoints:
      - { host: api.example.test, port: 443, path: /crm/**, protocol: rest, access: read-only, credential_binding: { provider: crm } }
    binaries: [{ path: any }]
`;

describe("credentials that the gateway renews", () => {
  const tokens = new TokenEndpoint(tokenUrl);
  const models = new ModelBackend();
  let installation: Installation;
  let servers: HttpServer[];

  before(async () => {
    tokens.life.refresh_token = mailSeconds;
    installation = install();
    servers = await Promise.all([
      startHttpServer({ host: "files.example.test", respond: tokens.listener }),
      startHttpServer({ host: "api.example.test", respond: services }),
      startHttpServer({ host: "other.example.test", respond: vertex }),
    ]);
    // Outside of the home, in which nothing secret may be found afterwards.
    const scratch = mkdtempSync(join(world().directory, "keys-"));
    const [profile, rules, key] = ["mail.yaml", "policy.yaml", "key.json"].map((name) => join(scratch, name));
    writeFileSync(profile ?? "", mailProfile);
    writeFileSync(rules ?? "", policy);
    writeFileSync(key ?? "", tokens.serviceKeyFile);
    await succeeds(["provider", "profile", "import", "-f", profile ?? ""]);
    await provide("mail", "mail", ["MAIL_TOKEN", "oauth2-refresh-token"], ["client_secret", "refresh_token"]);
    await provide("crm", "generic", ["CRM_TOKEN", "oauth2-client-credentials"], ["client_secret"]);
    const project = "GOOGLE_VERTEX_AI_BASE_URL=https://other.example.test/v1/projects/p/locations/europe-west4";
    const adc = [
      "provider",
      "create",
      "vertex",
      "--type",
      "google-vertex-ai",
      "--from-gcloud-adc",
      "--config",
      project,
    ];
    await succeeds(adc, { GOOGLE_APPLICATION_CREDENTIALS: key ?? "" });
    const attached = ["mail", "crm", "vertex"].flatMap((name) => ["--provider", name]);
    await succeeds(["sandbox", "create", "--name", "agent", "--policy", rules ?? "", ...attached]);
    rmSync(scratch, { recursive: true });
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  /** Services that let in who shows a token that is good, and say nothing of it. */
  const services: RequestListener = ({ url, headers }, response) => {
    const grant: Grant = url?.startsWith("/mail/") ? "refresh_token" : "client_credentials";
    response.writeHead(tokens.isGood(headers.authorization, grant) ? 200 : 401).end();
  };

  /** Google's models in one region: Claude below its publisher's path, the others as OpenAI's API. */
  const vertex: RequestListener = (request, response) => {
    if (!tokens.isGood(request.headers.authorization, "jwt-bearer")) return void response.writeHead(401).end();
    const place = "/v1/projects/p/locations/europe-west4";
    const known: Readonly<Record<string, string>> = {
      [`${place}/publishers/anthropic/models/claude-sonnet:rawPredict`]: "/v1/messages",
      [`${place}/publishers/anthropic/models/claude-sonnet:streamRawPredict`]: "/v1/messages",
      [`${place}/endpoints/openapi/chat/completions`]: "/v1/chat/completions",
    };
    request.url = known[request.url ?? ""] ?? "/";
    models.listener(request, response);
  };

  async function succeeds(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    const finished = await installation.run(args, { env });
    assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
    return finished;
  }

  /** A provider whose credential the gateway gets by itself, with these pieces of secret material. */
  async function provide(
    name: string,
    type: string,
    [key, strategy]: readonly [string, string],
    secrets: readonly string[],
  ): Promise<void> {
    // A generic one needs no credential to begin with.
    const later = type === "generic" ? [] : ["--runtime-credentials"];
    await succeeds(["provider", "create", name, "--type", type, ...later]);
    const secret = secrets.flatMap((each) => ["--secret-material-env", each]);
    const material = [`client_id=${tokens.clientId}`, `token_url=${tokenUrl}`].flatMap((each) => ["--material", each]);
    const how = ["--credential-key", key, "--strategy", strategy, ...material, ...secret];
    const env = { client_secret: tokens.clientSecret, refresh_token: tokens.refreshToken };
    await succeeds(["provider", "refresh", "configure", name, ...how], env);
  }

  /** What a service answers to a program that shows what it has. */
  async function asks(path: string, variable: string): Promise<string> {
    const curl = `curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $${variable}"`;
    const script = `${curl} https://api.example.test${path}`;
    return (await succeeds(["sandbox", "exec", "-n", "agent", "--", "sh", "-c", script])).stdout;
  }

  async function asksModel(path: string, body: object): Promise<string> {
    const script = `curl -sS https://inference.local${path} -d '${JSON.stringify(body)}'`;
    return (await succeeds(["sandbox", "exec", "-n", "agent", "--", "sh", "-c", script])).stdout;
  }

  async function statusOf(name: string): Promise<Record<string, string>> {
    const { stdout } = await succeeds(["provider", "refresh", "status", name, "-o", "json"]);
    return JSON.parse(stdout)[0];
  }

  it("are got with a client's own credentials, or with a refresh token", async () => {
    assert.equal(await asks("/crm/people", "CRM_TOKEN"), "200");
    assert.equal(await asks("/mail/inbox", "MAIL_TOKEN"), "200");
    assert.equal(await asks("/crm/people", "MAIL_TOKEN"), "403");
  });

  it("are got with a service account's signature, for Google's models in every dialect", async () => {
    await succeeds(["inference", "set", "claude", "--provider", "vertex", "--model", "claude-sonnet"]);
    await succeeds(["inference", "set", "gemini", "--provider", "vertex", "--model", "google/gemini-2.5-pro"]);
    const messages = [{ role: "user", content: "Hi." }];
    models.answers.push({ text: "Whole." }, { text: "In pieces." }, { text: "Translated." }, { text: "By Gemini." });
    assert.match(await asksModel("/v1/messages", { model: "claude", max_tokens: 9, messages }), /"Whole\."/);
    const streamed = await asksModel("/v1/messages", { model: "claude", max_tokens: 9, messages, stream: true });
    assert.match(streamed, /event: message_stop/);
    assert.match(await asksModel("/v1/chat/completions", { model: "claude", messages }), /"Translated\."/);
    assert.match(await asksModel("/v1/chat/completions", { model: "gemini", messages }), /"By Gemini\."/);
    const [claude] = models.calls.filter(({ json }) => json.anthropic_version !== undefined).slice(-1);
    assert.equal(claude?.json.anthropic_version, "vertex-2023-10-16");
    assert.equal(claude?.json.model, undefined);
  });

  it("are kept while they can't be renewed, which is said and tried again", async () => {
    tokens.down.add("client_credentials");
    const renewed = await installation.run(["provider", "refresh", "rotate", "crm", "--credential-key", "CRM_TOKEN"]);
    assert.notEqual(renewed.code, 0);
    const status = await statusOf("crm");
    assert.equal(status["status"], "failing");
    assert.match(status["last_error"] ?? "", /answers 503 unavailable: not now/);
    assert.equal(await asks("/crm/people", "CRM_TOKEN"), "200");
    tokens.down.delete("client_credentials");
  });

  it("are renewed ahead of their end, and in force with the next request, by the same placeholder", async () => {
    const before = await succeeds(["sandbox", "exec", "-n", "agent", "--", "printenv", "MAIL_TOKEN"]);
    const count = tokens.of("refresh_token").length + 1;
    const given = await tokens.whenIssued("refresh_token", count);
    for (const [index, { at }] of given.entries()) {
      const previous = given[index - 1];
      assert.ok(previous === undefined || at < previous.endsAt, "it had ended before there was another");
    }
    assert.equal(await asks("/mail/inbox", "MAIL_TOKEN"), "200");
    const after = await succeeds(["sandbox", "exec", "-n", "agent", "--", "printenv", "MAIL_TOKEN"]);
    assert.equal(after.stdout, before.stdout);
  });

  it("are renewed by themselves once their service is back", async () => {
    await tokens.whenIssued("client_credentials", 2);
    assert.equal(await asks("/crm/people", "CRM_TOKEN"), "200");
    assert.equal((await statusOf("crm"))["status"], "ok");
  });
});
