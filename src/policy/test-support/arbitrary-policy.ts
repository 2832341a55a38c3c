/** Random policies that load: what a person could write, small enough that rules often overlap. */
import fc from "fast-check";
import { type PolicyResult, readPolicy } from "../read-policy.ts";
import { type Json, treeFromJson } from "../tree.ts";
import { endpointsOfContents } from "./arbitrary-contents.ts";

const hosts = ["api.example.invalid", "www.example.invalid", "*.example.invalid", "**.invalid.invalid", "10.0.0.5"];
const paths = ["**", "/a/*", "/a/b", "/[ab]/?", "/é b/**", "/*/b"];
const methods = ["GET", "POST", "DELETE", "*"];

const query = fc.dictionary(
  fc.constantFrom("q", "tag"),
  fc.oneof(
    fc.constantFrom("*", "v1", "v?"),
    fc.constantFrom(["v1", "v2"], ["*x"]).map((any) => ({ any })),
  ),
  { minKeys: 1, maxKeys: 2, noNullPrototype: true },
);

function optional(fields: Record<string, fc.Arbitrary<unknown>>, required: string[]): fc.Arbitrary<Json> {
  return fc.record(fields, { requiredKeys: required, noNullPrototype: true }) as fc.Arbitrary<Json>;
}

const matcher = optional({ method: fc.constantFrom(...methods), path: fc.constantFrom(...paths), query }, [
  "method",
  "path",
]);

const destination = {
  host: fc.constantFrom(...hosts),
  ports: fc.uniqueArray(fc.constantFrom(80, 443), { minLength: 1 }),
  allowed_ips: fc.constantFrom(["10.0.0.0/8"], ["192.168.1.1", "fd00::/8"]),
  enforcement: fc.constantFrom("enforce", "audit"),
};
const inspected = {
  ...destination,
  protocol: fc.constant("rest"),
  path: fc.constantFrom("/a/**", "/é b/**"),
  allow_encoded_slash: fc.boolean(),
  deny_rules: fc.array(matcher, { minLength: 1, maxLength: 2 }),
};
const needed = ["host", "ports", "protocol"];

const endpoint = fc.oneof(
  optional(destination, ["host", "ports"]),
  optional({ ...inspected, access: fc.constantFrom("read-only", "read-write", "full") }, [...needed, "access"]),
  optional(
    {
      ...inspected,
      rules: fc.array(
        matcher.map((allow) => ({ allow })),
        { minLength: 1, maxLength: 3 },
      ),
    },
    [...needed, "rules"],
  ),
  endpointsOfContents(destination),
);

const binary = fc.constantFrom("/usr/bin/curl", "/usr/bin/*", "/opt/**", "any").map((path) => ({ path }));

const rule = optional(
  {
    name: fc.constantFrom("first", "second"),
    endpoints: fc.array(endpoint, { minLength: 1, maxLength: 3 }),
    binaries: fc.array(binary, { minLength: 1, maxLength: 2 }),
  },
  ["endpoints", "binaries"],
);

/** The written form, as JSON. */
export const arbitraryWrittenPolicy: fc.Arbitrary<Json> = optional(
  {
    version: fc.constant(1),
    filesystem_policy: optional({ include_workdir: fc.boolean(), read_only: fc.constant(["/usr"]) }, []),
    landlock: optional({ compatibility: fc.constantFrom("best_effort", "hard_requirement") }, []),
    process: optional({ run_as_user: fc.constantFrom("sandbox", 1500), run_as_group: fc.constant("1") }, []),
    network_policies: fc.dictionary(fc.constantFrom("a", "b", "c", "1", "__proto__"), rule, { noNullPrototype: true }),
  },
  ["version"],
) as fc.Arbitrary<Json>;

export const arbitraryPolicy = arbitraryWrittenPolicy.map((json) => loaded(readPolicy(treeFromJson(json))));

/** The policy, or an error that says why there is none. */
export function loaded(result: PolicyResult) {
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}
