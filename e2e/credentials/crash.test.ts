/**
 * The contract: a gateway or a supervisor that crashes leaves no secret behind, even where whoever started it asked for core
 * files; and while they live, no other program of the same user reads their memory or debugs them.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { expectNowhere, whereFound } from "../support/canary.ts";
import { eventually } from "../support/eventually.ts";
import { firstOutput } from "../support/first-output.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, type InstallationOptions, install } from "../support/installation.ts";
import { complaint, plantDefect } from "../support/latent-defect.ts";
import { supervisors } from "../support/supervisors.ts";
import { tester, world } from "../support/world.ts";

const canary = "ghp_CanaryThatNoCrashMayLeaveBehind00001";

const policy = `version: 1
network_policies:
  api:
    endpoints:
      - { host: api.example.test, port: 443, protocol: rest, access: full, credential_binding: { provider: hub } }
    binaries: [{ path: any }]
`;

const request = 'curl -sS -H "Authorization: Bearer $GITHUB_TOKEN" https://api.example.test/ > answer; echo asked';

/** A sandbox that has used the secret. */
class Scene implements AsyncDisposable {
  readonly installation: Installation;
  #api: HttpServer | undefined;

  constructor(options?: InstallationOptions) {
    this.installation = install(options);
  }

  async raise(): Promise<void> {
    this.#api = await startHttpServer({ host: "api.example.test" });
    const file = join(this.installation.home, "policy.yaml");
    writeFileSync(file, policy);
    await this.run("provider", "create", "hub", "--type", "github", "--credential", "GITHUB_TOKEN");
    await this.run("sandbox", "create", "--name", "agent", "--policy", file, "--provider", "hub");
  }

  /** As from a shell that wants core files of everything. */
  async run(...args: readonly string[]): Promise<void> {
    const openshell = join(world().packageDirectory, "bin", "openshell");
    const command = ["bash", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "bash", openshell, ...args];
    const { code, stderr } = await this.installation.runProgram(command, { env: { GITHUB_TOKEN: canary } });
    assert.equal(code, 0, stderr);
  }

  async ask(): Promise<void> {
    await this.run("sandbox", "exec", "--name", "agent", "--", "bash", "-c", request);
    assert.ok(this.#api?.requests.at(-1)?.rawHeaders.includes(`Bearer ${canary}`));
  }

  /** The programs that have it. */
  holders(): string[] {
    return [this.gateway(), ...supervisors()].map(String);
  }

  gateway(): number {
    return JSON.parse(readFileSync(join(this.installation.stateDirectory, "gateway.json"), "utf8")).pid;
  }

  /** All that the gateway and the supervisors have printed. */
  printed(): string {
    const logs = globSync(join(this.installation.stateDirectory, "**/*.log"));
    return logs.map((path) => readFileSync(path, "utf8")).join("");
  }

  /** The command makes a program write the secret, which ends it: for that, and saying so without the secret. */
  async ends(program: "gateway" | "supervisor", command: readonly string[]): Promise<void> {
    const pids = program === "gateway" ? [this.gateway()] : supervisors();
    const told = this.printed().split(complaint).length;
    const running = this.installation.start(command);
    try {
      await eventually(() => {
        assert.ok(
          pids.some((pid) => !existsSync(`/proc/${pid}`)),
          `no ${program} has ended`,
        );
        const [last, ...before] = this.printed().split(complaint).reverse();
        // The gateway says it too of a supervisor that has ended.
        assert.ok(before.length >= told, `the ${program} has not said why it ended`);
        assert.match(last ?? "", /\[redacted\]/);
      });
    } finally {
      running.kill("SIGKILL");
      await running.finished;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api?.[Symbol.asyncDispose]();
    await this.installation[Symbol.asyncDispose]();
  }
}

describe("programs that hold secrets", () => {
  it("are not to be read or debugged by other programs of their user", async () => {
    await using scene = new Scene({ user: tester });
    await scene.raise();
    await scene.ask();
    for (const pid of scene.holders()) {
      const read = await scene.installation.runProgram(["head", "-c", "1", `/proc/${pid}/mem`]);
      assert.match(read.stderr, /Permission denied/);
      const told = await scene.installation.runProgram(["kill", "-USR1", pid]);
      // An engine's supervisors are other users.
      if (told.code !== 0) assert.match(told.stderr, /not permitted/);
    }
    await scene.ask();
    assert.doesNotMatch(scene.printed(), /Debugger/);
  });

  it("leave no secret behind when they crash", async () => {
    // What is started from here on may leave core files of any size.
    execFileSync("prlimit", ["--pid", `${process.pid}`, "--core=unlimited"]);
    await using scene = new Scene();
    await scene.raise();
    for (const signal of ["ABRT", "SEGV"]) {
      await scene.ask();
      await scene.installation.runProgram(["kill", `-${signal}`, ...scene.holders()]);
      await scene.run("gateway", "start");
      await scene.run("sandbox", "start", "agent");
      assert.deepEqual(coreFiles(scene.installation), []);
    }
    const command = ["sandbox", "exec", "--name", "agent", "--", "bash", "-c", `${request}; sleep 60`];
    const agent = scene.installation.start(command);
    try {
      await firstOutput(agent);
      expectNowhere([canary], scene.installation);
    } finally {
      agent.kill("SIGKILL");
      await agent.finished;
    }
  });

  it("print none when an error that nobody foresaw ends them", async () => {
    using _ = plantDefect("ghp_Canary\\w{20}");
    await using scene = new Scene();
    await scene.raise();
    await scene.ask();
    for (const pid of supervisors()) process.kill(pid, "SIGUSR2");
    const command = ["sandbox", "exec", "--name", "agent", "--", "bash", "-c", request];
    await scene.ends("supervisor", command);
    process.kill(scene.gateway(), "SIGUSR2");
    await scene.ends("gateway", ["sandbox", "start", "agent"]);
    await scene.run("gateway", "start");
    await scene.run("sandbox", "start", "agent");
    await scene.ask();
    assert.deepEqual(whereFound([canary], scene.installation.home), []);
  });
});

/** In the directories in which such programs run. */
function coreFiles({ home }: Installation): string[] {
  return globSync(["/core*", join(world().directory, "core*"), join(home, "**", "core*")]);
}
