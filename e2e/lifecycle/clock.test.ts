/**
 * The machine's clock is set, hours ahead and hours back, under a gateway and sandboxes that run: nothing ends for it but what
 * says so itself, a token at its hour; nothing is lost from the log, and nobody waits for the clock to come round again.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { createSshSession } from "../../src/cli/api/ssh-methods.ts";
import { openApi } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpServer } from "../support/http-server.ts";
import { install } from "../support/installation.ts";
import { machineClock, withMachineClock } from "../support/machine-clock.ts";
import { TokenEndpoint } from "../support/token-endpoint.ts";
import { skipInContainers } from "../support/world.ts";

const tokenUrl = "https://files.example.test/token";
const policy = `version: 1
filesystem_policy: { include_workdir: true, read_only: [/usr, /lib, /lib64, /bin, /etc], read_write: [/tmp] }
network_policies:
  crm:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only, credential_binding: { provider: crm } }]
    binaries: [{ path: any }]
`;
/** Until it is told a word. */
const waits = "echo up; read word; echo $word";

it("a clock that is set under them is borne by gateway and supervisors", {
  ...withMachineClock,
  ...skipInContainers("an engine starts supervisors by itself"),
}, async () => {
  const clock = machineClock();
  const tokens = new TokenEndpoint(tokenUrl);
  await using _api = await startHttpServer({
    host: "api.example.test",
    respond: ({ headers }, response) =>
      void response.writeHead(tokens.isGood(headers.authorization, "client_credentials") ? 200 : 401).end(),
  });
  await using _files = await startHttpServer({ host: "files.example.test", respond: tokens.listener });
  await using installation = install();
  let gateway = await clock.startGateway(installation);
  const run = (...args: string[]) => installation.run(args, { env: clock.environment });
  const done = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const inside = (script: string) => done("sandbox", "exec", "-n", "agent", "--", "sh", "-c", script);
  writeFileSync(join(installation.home, "policy.yaml"), policy);
  await done("provider", "create", "crm", "--type", "generic");
  const how = [
    "--credential-key",
    "CRM_TOKEN",
    "--strategy",
    "oauth2-client-credentials",
    "--secret-material-env",
    "client_secret",
  ];
  const material = ["--material", `client_id=${tokens.clientId}`, "--material", `token_url=${tokenUrl}`];
  const configured = await installation.run(["provider", "refresh", "configure", "crm", ...how, ...material], {
    env: { ...clock.environment, client_secret: tokens.clientSecret },
  });
  assert.equal(configured.code, 0, configured.stderr);
  const lifetimes = ["--idle-timeout", "1h", "--max-lifetime", "3h"];
  await done(
    "sandbox",
    "create",
    "--name",
    "agent",
    "--provider",
    "crm",
    ...lifetimes,
    "--policy",
    join(installation.home, "policy.yaml"),
  );
  const supervisor = await inside("echo $PPID");
  const config = join(installation.home, "ssh-config");
  writeFileSync(config, await done("sandbox", "ssh-config", "agent"));
  const exec = installation.start(["sandbox", "exec", "-n", "agent", "--", "sh", "-c", waits], {
    env: clock.environment,
    timeout: 200_000,
  });
  const ssh = installation.startProgram(["ssh", "-F", config, "openshell-agent", waits], {
    env: clock.environment,
    timeout: 200_000,
  });
  await Promise.all(
    [exec, ssh].map(({ stdout }) => new Promise<void>((resolve) => stdout.once("data", () => resolve()))),
  );
  using channel = await openApi(installation);
  const session = await channel.unary(createSshSession, { sandboxId: "agent" });
  /** What a connection with that session's token begins with, or why there is none. */
  const connects = async (): Promise<string> => {
    const named = ["--sandbox-id", session.sandboxId ?? "", "--token", session.token ?? ""];
    const proxy = installation.start(["ssh-proxy", ...named], { env: clock.environment });
    proxy.stdout.once("data", () => proxy.kill("SIGTERM"));
    const { stdout, stderr } = await proxy.finished;
    return stdout + stderr;
  };

  const tail = installation.start(["logs", "agent", "--tail"], { env: clock.environment, timeout: 200_000 });
  let tailed = "";
  tail.stdout.on("data", (bytes: Buffer) => {
    tailed += bytes.toString();
  });

  const asked: string[] = [];
  // Ahead for more than a token's day and a sandbox's times, then back; never behind, since the servers' certificates are of today.
  for (const hours of [30, 12]) {
    clock.set(hours);
    const count = tokens.of("client_credentials").length;
    const host = `at${hours}.example.test`;
    asked.push(host);
    await inside(`curl -sS https://${host} 2>/dev/null; true`);
    await eventually(() => assert.ok(tailed.includes(host), `${host} is not in the log that is followed`));
    assert.equal(await inside("echo $PPID"), supervisor);
    const { stdout, stderr } = await installation.runProgram(["ssh", "-F", config, "openshell-agent", "echo new"], {
      env: clock.environment,
    });
    assert.equal(stdout, "new\n", stderr);
    await eventually(() => assert.ok(tokens.of("client_credentials").length > count, "nothing was renewed"));
    if (hours === 30) assert.match(await connects(), /SSH session .* has expired/);
    else assert.match(await connects(), /^SSH-2\.0/);
    if (hours === 30) {
      gateway.kill("SIGTERM");
      await gateway.finished;
      gateway = await clock.startGateway(installation);
    }
    const ask = `-o /dev/null -w '%{http_code}' -H "Authorization: Bearer $CRM_TOKEN" https://api.example.test/people`;
    await eventually(async () => assert.equal(await inside(`${clock.inside} curl -sS ${ask}`), "200"));
  }
  for (const running of [exec, ssh]) running.stdin.end("told\n");
  for (const running of [exec, ssh]) assert.equal((await running.finished).stdout, "up\ntold\n");
  const log = await done("logs", "agent", "-n", "10000");
  const shown = log.split("\n").flatMap((line) => /DENIED .*?(at\d+\.example\.test)/.exec(line)?.[1] ?? []);
  // What was tried when the clock had been set back comes last all the same.
  assert.deepEqual([...new Set(shown)], asked);
  assert.match(await done("logs", "verify", "agent"), /./);
  tail.kill("SIGINT");
  await tail.finished;
  gateway.kill("SIGTERM");
  await gateway.finished;
});
