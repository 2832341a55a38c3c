/** Clients of AWS sign with placeholders; what arrives is signed with the operator's key, which no sandbox has seen. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { AwsServer } from "../support/aws-server.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Finished, type Installation, install } from "../support/installation.ts";
import { type Registry, startRegistry } from "../support/registry.ts";

const key = { accessKeyId: "AKIAOPERATORSCANARY1", secretAccessKey: "operators+canary/of40charactersForTests0" };

/** The three ways of signing, each at a host of its own. */
const signing = {
  "api.example.test": "sigv4",
  "files.example.test": "sigv4:body",
  "other.example.test": "sigv4:no_body",
} as const;

const policy = (registry: Registry) => `version: 1
network_policies:
  packages:
    endpoints:
      - { host: ${registry.host}, port: ${registry.port}, protocol: rest, access: read-only, allow_encoded_slash: true }
    binaries: [{ path: any }]
  cloud:
    endpoints:
${Object.entries(signing)
  .map(
    ([host, how]) =>
      `      - { host: ${host}, port: 443, protocol: rest, access: full, credential_signing: "${how}", signing_service: s3, credential_binding: { provider: cloud } }`,
  )
  .join("\n")}
    binaries: [{ path: any }]
`;

describe("a client of AWS", () => {
  let installation: Installation;
  let registry: Registry & AsyncDisposable;
  let servers: HttpServer[];
  const aws = new AwsServer(key);

  before(async () => {
    installation = install();
    registry = await startRegistry();
    const hosts = Object.keys(signing) as (keyof typeof signing)[];
    servers = await Promise.all(hosts.map((host) => startHttpServer({ host, respond: aws.listener })));
    const file = join(installation.home, "policy.yaml");
    writeFileSync(file, policy(registry));
    const env = { AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey };
    await succeeds(["provider", "create", "cloud", "--type", "aws", "--from-existing"], { env });
    await succeeds(["sandbox", "create", "--name", "aws", "--policy", file, "--provider", "cloud"]);
    const npm = `npm_config_cafile="$SSL_CERT_FILE" npm_config_registry=${registry.url} npm --no-update-notifier`;
    await runs(`mkdir -p ~/aws && cd ~/aws && ${npm} install --silent @aws-sdk/client-s3`);
  });
  after(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await installation[Symbol.asyncDispose]();
  });

  async function succeeds(args: readonly string[], options: { env?: Record<string, string> } = {}): Promise<Finished> {
    const finished = await installation.run(args, { ...options, timeout: 120_000 });
    assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
    return finished;
  }

  async function runs(script: string): Promise<string> {
    return (await succeeds(["sandbox", "exec", "--name", "aws", "--", "sh", "-c", script])).stdout;
  }

  /** Runs a module beside the SDK, with a client `s3` for the host. */
  function runsSdk(host: keyof typeof signing, text: string): Promise<string> {
    const module = `
      import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
      import { Readable } from "node:stream";
      const s3 = new S3Client({ endpoint: "https://${host}", region: "eu-west-1", forcePathStyle: true, maxAttempts: 1 });
      ${text}`;
    return runs(`cd ~/aws && cat > call.mjs <<'END'\n${module}\nEND\nnode call.mjs`);
  }

  it("holds a key that is none", async () => {
    const [id, secret] = (await runs('echo "$AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY"')).trim().split(" ");
    assert.match(id ?? "", /^AKIA[A-Z0-9]{16}$/);
    assert.match(secret ?? "", /^[A-Za-z0-9+/]{40}$/);
    assert.ok(id !== key.accessKeyId && secret !== key.secretAccessKey);
  });

  for (const host of Object.keys(signing) as (keyof typeof signing)[]) {
    it(`puts an object and gets it, with its own SDK and ${signing[host]}`, async () => {
      const script = `
        await s3.send(new PutObjectCommand({ Bucket: "box", Key: "a folder/näme+1", Body: "the contents" }));
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: "box", Key: "a folder/näme+1" }));
        console.log(await Body.transformToString());`;
      assert.equal(await runsSdk(host, script), "the contents\n");
      assert.equal(aws.verified.at(-2)?.payload === "UNSIGNED-PAYLOAD", signing[host] === "sigv4:no_body");
    });
  }

  it("sends a body in chunks, of which it does not know the length of the whole", async () => {
    const script = `
      const pieces = Array.from({ length: 20 }, (_, at) => String(at).repeat(10_000));
      const Body = Readable.from(pieces.map((piece) => Buffer.from(piece)));
      const ContentLength = pieces.join("").length;
      await s3.send(new PutObjectCommand({ Bucket: "box", Key: "chunks", Body, ContentLength }));
      const got = await s3.send(new GetObjectCommand({ Bucket: "box", Key: "chunks" }));
      console.log((await got.Body.transformToString()) === pieces.join(""));`;
    assert.equal(await runsSdk("api.example.test", script), "true\n");
    assert.equal(aws.verified.at(-2)?.payload, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  });

  it("is curl, which signs by itself", async () => {
    const curl = `curl -sS -o /dev/null -w '%{http_code}' --aws-sigv4 aws:amz:eu-west-1:s3`;
    const user = '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"';
    assert.equal(await runs(`${curl} ${user} -d delete https://api.example.test/box?delete`), "200");
    assert.equal(await runs(`${curl} --user AKIAOTHER:of-its-own -d x=1 https://api.example.test/`), "403");
  });
});
