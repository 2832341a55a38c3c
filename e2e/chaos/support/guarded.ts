/**
 * Whether sandboxes are guarded at each moment: a program in each tries, without a pause, what its policy denies, what no
 * policy speaks of, and what is allowed. The servers at the other end tell what got through; the sandboxes' word is not asked.
 */
import assert from "node:assert/strict";
import type { SandboxPolicyJson } from "../../../src/gen/openshell/sandbox/v1/sandbox_pb.ts";
import { parsePolicy } from "../../../src/policy/parse.ts";
import { policyToMessageJson } from "../../../src/policy/wire-json.ts";
import { eventually } from "../../support/eventually.ts";
import { hosts } from "../../support/names.ts";
import { type RawTcpServer, startRawTcpServer } from "../../support/raw-tcp-server.ts";

const port = 9000;

/** A guarded sandbox's policy, as the API takes it; `turn` makes each one another. */
export function guardedPolicy(turn: number): SandboxPolicyJson {
  const parsed = parsePolicy(JSON.stringify({ version: 1, network_policies: guardedRules(turn) }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return policyToMessageJson(parsed.policy) as SandboxPolicyJson;
}

/** The turn that a policy is of. */
export function turnOf({ networkPolicies }: SandboxPolicyJson): string {
  const host = networkPolicies?.["turn"]?.endpoints?.[0]?.host ?? "";
  return /^turn(\d+)\./.exec(host)?.[1] ?? "none";
}

function guardedRules(turn: number) {
  const binaries = [{ path: "any" }];
  return {
    turn: { endpoints: [{ host: `turn${turn}.example.test`, port: 443 }], binaries },
    allowed: { endpoints: [{ host: "api.example.test", port }], binaries },
    denied: {
      endpoints: [
        {
          host: "other.example.test",
          port,
          protocol: "rest",
          access: "full",
          deny_rules: [{ method: "*", path: "**" }],
        },
      ],
      binaries,
    },
  };
}

/** By name and by address; an answer that comes is a pause, since each refusal is a line in the log. */
const program = `
const { connect } = require("node:net");
const name = require("node:os").hostname();
function attempt(host, pauseMs) {
  const socket = connect({ host, port: ${port} });
  socket.setTimeout(2000, () => socket.destroy());
  socket.on("data", () => socket.end(name));
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(attempt, pauseMs, host, pauseMs));
}
for (const host of ${JSON.stringify(["other.example.test", "files.example.test", hosts["files.example.test"][0]])}) attempt(host, 5);
attempt("api.example.test", 50);
`;

/** What a guarded sandbox runs by itself. */
export const guardedCommand: readonly string[] = ["/run/openshell/node", "-e", program];

export class Guarded implements AsyncDisposable {
  readonly #allowed: RawTcpServer;
  readonly #forbidden: readonly RawTcpServer[];

  private constructor(allowed: RawTcpServer, forbidden: readonly RawTcpServer[]) {
    this.#allowed = allowed;
    this.#forbidden = forbidden;
  }

  static async start(): Promise<Guarded> {
    const greeting = "welcome";
    const allowed = await startRawTcpServer({ host: "api.example.test", port, greeting });
    const denied = await startRawTcpServer({ host: "other.example.test", port, greeting });
    const undecided = await startRawTcpServer({ host: "files.example.test", port, greeting });
    return new Guarded(allowed, [denied, undecided]);
  }

  /** Fails if anything ever reached a server that none may reach. */
  requireHeld(): void {
    const reached = this.#forbidden.map(({ heard }) => heard.length);
    assert.deepEqual(reached, [0, 0], "connections that got through to the denied server and to the undecided one");
  }

  /** Resolves once each of these sandboxes has reached the allowed server anew. */
  async whenAllowed(sandboxes: readonly string[]): Promise<void> {
    const { heard } = this.#allowed;
    const before = heard.length;
    await eventually(() => {
      const names = new Set(heard.slice(before).map((name) => name.toString()));
      const missing = sandboxes.filter((name) => !names.has(name));
      assert.deepEqual(missing, [], "sandboxes that do not reach what they may");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#allowed, ...this.#forbidden].map((server) => server[Symbol.asyncDispose]()));
  }
}
