import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { differingStaticSections } from "./diff-static.ts";
import { hashPolicy } from "./hash.ts";
import { parsePolicy } from "./parse.ts";
import { printPolicy } from "./print.ts";
import { arbitraryPolicy, loaded } from "./test-support/arbitrary-policy.ts";
import { policyFromMessage, policyToMessage } from "./wire.ts";

/** Every field that the random policies do not reach. */
const everyField = `
version: 1
filesystem: { include_workdir: true, read_only: [/usr/, /etc], read_write: [/tmp//x] }
landlock: { compatibility: hard_requirement }
process: { run_as_user: 1500, run_as_group: sandbox }
network_policies:
  calls:
    name: all kinds
    endpoints:
      - { host: rpc.invalid, port: 443, protocol: json-rpc, json_rpc: { max_body_bytes: 131072 }, rules: [{ allow: { method: a.b } }] }
      - host: mcp.invalid
        port: 443
        path: /mcp
        protocol: mcp
        mcp: { max_body_bytes: 1000, allow_all_known_mcp_methods: true }
        rules:
          - allow: { method: tools/call, tool: search_web }
          - allow: { method: tools/call, params: { name: { any: [a, b] } } }
        deny_rules: [{ method: tools/call, tool: send }]
      - { host: mcp2.invalid, port: 443, protocol: mcp, mcp: { strict_tool_names: false }, rules: [{ allow: { method: 'tools/*' } }] }
      - host: graph.invalid
        port: 443
        ports: [8443]
        protocol: graphql
        access: read-only
        persisted_queries: allow_registered
        graphql_persisted_queries: { abc: { operation_type: query, operation_name: Q, fields: [viewer] }, d: { operation_type: mutation } }
        graphql_max_body_bytes: 1234
        deny_rules: [{ operation_type: mutation, operation_name: 'Admin*', fields: [x, 'y*'] }]
      - host: socket.invalid
        port: 443
        protocol: websocket
        websocket_credential_rewrite: true
        rules:
          - allow: { method: get, path: /ws, query: { a: x, b: { any: [y, z] }, c: { glob: w } } }
          - allow: { operation_type: subscription, fields: [m] }
      - host: signed.invalid
        port: 443
        protocol: rest
        access: full
        credential_binding: { provider: aws }
        credential_signing: "sigv4:body"
        signing_service: s3
        signing_region: eu-central-1
        allow_encoded_slash: true
      - { host: body.invalid, port: 80, protocol: rest, access: full, request_body_credential_rewrite: true, mask_credentials: true, tls: passthrough }
      - { host: pg.invalid, port: 5432, protocol: tcp, tls: skip, allow_uninspected_credentials: true }
      - { port: 9000, allowed_ips: [10.1.2.3/8, "fd00::1"], enforcement: audit, advisor_proposed: true }
    binaries: [{ path: any }]
network_middlewares:
  redact:
    name: Redact tokens
    middleware: openshell/regex
    order: 10
    config: { mode: redact, deep: [1, { a: null }] }
    on_error: fail_open
    endpoints: { include: ["*.example.com", api.example.org], exclude: [trusted.example.com] }
  later: { middleware: local-guard, endpoints: { include: [api.example.org] } }
`;

describe("a policy", () => {
  it("reads back from YAML as it was", () => {
    fc.assert(
      fc.property(arbitraryPolicy, (policy) => {
        assert.deepEqual(loaded(parsePolicy(printPolicy(policy))), policy);
      }),
    );
  });

  it("reads back from the API's message as it was", () => {
    fc.assert(
      fc.property(arbitraryPolicy, (policy) => {
        assert.deepEqual(loaded(policyFromMessage(policyToMessage(policy))), policy);
      }),
    );
  });

  it("keeps every field both ways", () => {
    const policy = loaded(parsePolicy(everyField));
    assert.deepEqual(loaded(parsePolicy(printPolicy(policy))), policy);
    assert.deepEqual(loaded(policyFromMessage(policyToMessage(policy))), policy);
    assert.equal(hashPolicy(loaded(policyFromMessage(policyToMessage(policy)))), hashPolicy(policy));
    assert.equal(policyToMessage(policy).networkPolicies["calls"]?.endpoints[1]?.jsonRpcMaxBodyBytes, 1000);
    assert.equal(
      policyToMessage(policy).networkPolicies["calls"]?.endpoints[1]?.rules[0]?.allow?.params["name"]?.glob,
      "search_web",
    );
    assert.deepEqual(policyToMessage(policy).networkPolicies["calls"]?.endpoints[3]?.ports, [443, 8443]);
  });

  it("with a condition in its message that is not understood is refused, not widened", () => {
    const message = policyToMessage(loaded(parsePolicy(everyField)));
    const allow = message.networkPolicies["calls"]?.endpoints[4]?.rules[0]?.allow;
    assert.ok(allow);
    allow.command = "SELECT";
    assert.equal(policyFromMessage(message).ok, false);
  });

  it("has one hash whatever the order of its keys, and another for another meaning", () => {
    const hash = (text: string) => hashPolicy(loaded(parsePolicy(text)));
    const rule = "endpoints: [{host: a.invalid, port: 1}], binaries: [{path: any}]";
    const one = hash(`{version: 1, network_policies: {a: {${rule}}, b: {${rule}}}}`);
    assert.match(one, /^[0-9a-f]{64}$/);
    assert.equal(hash(`{network_policies: {b: {${rule}}, a: {name: a, ${rule}}}, version: 1}`), one);
    assert.notEqual(hash(`{version: 1, network_policies: {a: {${rule}}}}`), one);
  });

  it("differs in a static section only by what it means", () => {
    const policy = (text: string) => loaded(parsePolicy(`{version: 1, ${text}}`));
    const base = policy("filesystem: {read_only: [/usr, /etc]}");
    assert.deepEqual(differingStaticSections(base, policy("filesystem_policy: {read_only: [/etc, /usr/, /usr]}")), []);
    assert.deepEqual(differingStaticSections(base, policy("filesystem: {read_only: [/usr], read_write: [/etc]}")), [
      "filesystem_policy",
    ]);
    assert.deepEqual(
      differingStaticSections(
        base,
        policy(
          "landlock: {compatibility: hard_requirement}, process: {run_as_user: 7}, filesystem: {read_only: [/usr, /etc]}",
        ),
      ),
      ["landlock", "process"],
    );
  });
});
