import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type PolicyMergeOperation, PolicyMergeOperationSchema } from "../gen/openshell/v1/policy_pb.ts";
import { mergePolicy } from "./merge.ts";
import { parsePolicy } from "./parse.ts";
import { printPolicy } from "./print.ts";
import { loaded } from "./test-support/arbitrary-policy.ts";
import { policyFromMessage, policyToMessage } from "./wire.ts";

const current = policyToMessage(
  loaded(
    parsePolicy(`
version: 1
network_policies:
  api:
    endpoints: [{ host: api.invalid, ports: [80, 443], protocol: rest, rules: [{ allow: { method: GET, path: /a } }] }]
    binaries: [{ path: /usr/bin/curl }, { path: /usr/bin/git }]
`),
  ),
);

type Operation = MessageInitShape<typeof PolicyMergeOperationSchema>["operation"];

/** The rules after the operations, as YAML; or what is wrong. */
function merged(...operations: readonly Operation[]): string {
  const messages = operations.map(
    (operation): PolicyMergeOperation => create(PolicyMergeOperationSchema, operation ? { operation } : {}),
  );
  const result = mergePolicy(current, messages);
  if (!result.ok) return `${result.kind}: ${result.message}`;
  const yaml = printPolicy(loaded(policyFromMessage(result.policy)));
  return yaml.slice(yaml.indexOf("network_policies:"));
}

const rule = (host: string, port: number) => ({
  endpoints: [{ host, port, ports: [port] }],
  binaries: [{ path: "/usr/bin/curl" }],
});

describe("an incremental change", () => {
  it("adds a rule, and what is new to a rule that is there", () => {
    const added = merged({ case: "addRule", value: { ruleName: "far", rule: rule("far.invalid", 22) } });
    assert.match(added, / {2}far:\n {4}endpoints:\n {6}- host: far\.invalid\n {8}port: 22\n/);
    const joined = merged({ case: "addRule", value: { ruleName: "api", rule: rule("far.invalid", 22) } });
    assert.match(joined, /host: far\.invalid/);
    assert.equal(joined.match(/usr\/bin\/curl/g)?.length, 1, "a binary that is there is not there twice");
  });

  it("adds allow and deny rules to each endpoint of a destination", () => {
    const site = { host: "API.invalid", port: 443 };
    const allowed = merged({
      case: "addAllowRules",
      value: { ...site, rules: [{ allow: { method: "PUT", path: "/b" } }] },
    });
    assert.match(allowed, /method: PUT\n +path: \/b\n/);
    const denied = merged({ case: "addDenyRules", value: { ...site, denyRules: [{ method: "GET", path: "/a/x" }] } });
    assert.match(denied, /deny_rules:\n +- method: GET\n +path: \/a\/x\n/);
  });

  it("removes a port, then the endpoint with its last port, then the rule with its last endpoint", () => {
    const remove = (port: number) => ({ case: "removeEndpoint", value: { host: "api.invalid", port } }) as const;
    assert.match(merged(remove(80)), /port: 443\n/);
    assert.equal(merged(remove(80), remove(443)), "network_policies: {}\n");
  });

  it("removes a binary, and a whole rule", () => {
    const binary = { ruleName: "api", binaryPath: "/usr/bin/git" };
    assert.doesNotMatch(merged({ case: "removeBinary", value: binary }), /git/);
    assert.equal(merged({ case: "removeRule", value: { ruleName: "api" } }), "network_policies: {}\n");
  });

  it("says what the policy lacks, and what no policy could do", () => {
    const site = { host: "far.invalid", port: 443 };
    assert.equal(merged({ case: "removeRule", value: { ruleName: "far" } }), 'misfit: the policy has no rule "far"');
    assert.match(merged({ case: "removeRule", value: { ruleName: "constructor" } }), /no rule "constructor"/);
    assert.match(merged({ case: "removeBinary", value: { ruleName: "toString" } }), /no rule "toString"/);
    assert.match(merged({ case: "removeEndpoint", value: { ...site, ruleName: "far" } }), /no rule "far"/);
    for (const operation of ["removeEndpoint", "addAllowRules", "addDenyRules"] as const) {
      assert.equal(merged({ case: operation, value: site }), "misfit: the policy has no endpoint far.invalid:443");
    }
    assert.match(merged({ case: "addRule", value: { ruleName: "" } }), /^malformed: a rule needs a name/);
    assert.match(merged(undefined), /^malformed: an operation that this version does not know/);
  });

  it("leaves the policy that it starts from as it was", () => {
    const before = printPolicy(loaded(policyFromMessage(current)));
    merged({ case: "removeRule", value: { ruleName: "api" } });
    merged({
      case: "addDenyRules",
      value: { host: "api.invalid", port: 443, denyRules: [{ method: "*", path: "**" }] },
    });
    assert.equal(printPolicy(loaded(policyFromMessage(current))), before);
  });
});
