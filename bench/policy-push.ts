/** Another policy for a running sandbox, until its supervisor has said that it is in force. */
import { updateConfig } from "../src/cli/api/methods.ts";
import type { SandboxPolicyJson } from "../src/gen/openshell/sandbox/v1/sandbox_pb.ts";
import { parsePolicy } from "../src/policy/parse.ts";
import { policyToMessageJson } from "../src/policy/wire-json.ts";
import type { Row } from "./support/bench.ts";
import { runSilently } from "./support/command.ts";
import { interleave } from "./support/interleave.ts";

const rule = (host: string) => ({
  rule: {
    endpoints: [{ host, port: 443, protocol: "rest", access: "read-only" }],
    binaries: [{ path: "/usr/bin/curl" }],
  },
});

export const policyPush: Row = {
  name: "policy-push",
  title: "policy in force on a running sandbox",
  target: "at most 50 ms",
  measure: async ({ installation, rounds }) => {
    const { api } = installation;
    const sandbox = await api.create();
    const { id = "", name = "" } = sandbox.metadata ?? {};
    await api.whenReady(id);
    const files = ["one", "two"].map((host) => installation.policyFile(host, rule(`${host}.example.invalid`)));
    let turn = 0;
    // The same policy twice would be no change and nothing to push.
    const next = () => (turn += 1);
    const lines = await interleave(
      [
        {
          name: "openshell policy set NAME --wait",
          once: () => {
            const file = files[next() % files.length] ?? "";
            return runSilently(installation.command("policy", "set", name, "--policy", file, "--wait"));
          },
        },
        {
          name: "by the API",
          once: async () => {
            const policy = message(`api-${next()}.example.invalid`);
            const { policyStatus } = await api.channel.unary(updateConfig, { name, workspace: "default", policy });
            if (policyStatus !== "POLICY_STATUS_LOADED") throw new Error(`the policy is ${policyStatus}`);
          },
        },
      ],
      { rounds },
    );
    await api.remove(sandbox);
    return lines;
  },
};

/** The policy as the API takes it. */
function message(host: string): SandboxPolicyJson {
  const parsed = parsePolicy(JSON.stringify({ version: 1, network_policies: rule(host) }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return policyToMessageJson(parsed.policy) as SandboxPolicyJson;
}
