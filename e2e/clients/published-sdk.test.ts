/**
 * The published OpenShell's own Python SDK, as its package index has it and unchanged, drives our gateway: it finds the gateway
 * by the files beside ours, logs in with the certificate there, and does what it can do. Of the versions, the newest that
 * speaks the wire format of docs/api.md.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Installation, install } from "../support/installation.ts";
import { pythonPackages } from "../support/python-packages.ts";

/** Every program has a client of the active gateway, and its stub for what the SDK has no function for. */
const prelude = `
import json
import grpc
from openshell import *
from openshell._proto import datamodel_pb2 as data, openshell_pb2 as api, sandbox_pb2 as config
client = SandboxClient.from_active_cluster()
stub = client._stub
workspace = "default"
def answer(value):
    print(json.dumps(value))
def status_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
`;

const policy = `
policy = config.SandboxPolicy(version=1, network_policies={"web": config.NetworkPolicyRule(
    name="web",
    endpoints=[config.NetworkEndpoint(host="api.example.test", port=443, protocol="rest", access="read-only")],
    binaries=[config.NetworkBinary(path="/usr/bin/curl")])})
`;

describe("the published Python SDK", () => {
  let installation: Installation;

  const python = async <Answer>(program: string): Promise<Answer> => {
    const { code, stdout, stderr } = await installation.runProgram(["/usr/bin/python3", "-"], {
      input: prelude + program,
      env: { PYTHONPATH: pythonPackages() },
      timeout: 60_000,
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Answer;
  };

  before(async () => {
    installation = install();
    const started = await installation.run(["gateway", "start"]);
    assert.equal(started.code, 0, started.stderr);
  });
  after(() => installation[Symbol.asyncDispose]());

  it("sees the gateway's health, version, drivers and its own identity", async () => {
    const seen = await python<Record<string, unknown>>(`
health = client.health()
info = stub.GetGatewayInfo(api.GetGatewayInfoRequest())
user = stub.GetCurrentUser(api.GetCurrentUserRequest())
answer({"healthy": health.status == api.SERVICE_STATUS_HEALTHY, "same": health.version == info.gateway_version,
        "drivers": [driver.name for driver in info.compute_drivers], "roles": list(user.roles)})
`);
    assert.deepEqual(seen, { healthy: true, same: true, drivers: ["local"], roles: ["admin"] });
  });

  it("makes a sandbox, finds it, stops it, starts it and deletes it", async () => {
    const story = await python<Record<string, unknown>>(`
made = client.create(workspace=workspace, name="life", labels={"team": "web"})
ready = client.wait_ready("life", workspace=workspace)
stopped = client.stop("life", workspace=workspace)
client.wait_stopped("life", workspace=workspace)
client.start("life", workspace=workspace)
again = client.wait_ready("life", workspace=workspace)
deleted = client.delete("life", workspace=workspace)
client.wait_deleted("life", workspace=workspace)
answer({"same": made.id == ready.id == again.id, "labels": dict(again.labels), "deleted": deleted,
        "gone": status_of(lambda: client.get("life", workspace=workspace)),
        "listed": client.list_ids(workspace=workspace, label_selector="team=web")})
`);
    assert.deepEqual(story, { same: true, labels: { team: "web" }, deleted: true, gone: "NOT_FOUND", listed: [] });
  });

  it("runs commands: input, output, environment, folder, exit code, time limit and a Python function", async () => {
    const story = await python<Record<string, unknown>>(`
import cloudpickle, io, os, tarfile
def packed(package):
    """What the SDK needs on the other side, as an archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(os.path.dirname(package.__file__), package.__name__)
    return archive.getvalue()
with Sandbox(workspace=workspace) as sandbox:
    told = sandbox.exec(["sh", "-c", "cat; echo $GREETING; pwd; echo oops >&2; exit 3"], stdin=b"in ", env={"GREETING": "hello"}, workdir="/tmp")
    late = sandbox.exec(["sleep", "60"], timeout_seconds=1)
    sandbox.exec(["sh", "-c", "mkdir bin && ln -s $(command -v python3) bin/python && tar -x"], stdin=packed(cloudpickle))
    computed = sandbox.exec_python(lambda number: print(number * 2), args=(21,),
                                   env={"PATH": "/sandbox/bin:/usr/bin:/bin", "PYTHONPATH": "/sandbox"})
    answer({"stdout": told.stdout, "stderr": told.stderr, "code": told.exit_code, "late": late.exit_code,
            "computed": computed.stdout})
`);
    assert.deepEqual(story, { stdout: "in hello\n/tmp\n", stderr: "oops\n", code: 3, late: 124, computed: "42\n" });
  });

  it("talks to a command on a terminal, and changes the terminal's size", async () => {
    const story = await python<{ output: string; code: number }>(`
import threading
over = threading.Event()
with Sandbox(workspace=workspace) as sandbox:
    def said():
        command = ["sh", "-c", "read word; stty size; echo got $word; exit 4"]
        yield api.ExecSandboxInput(start=api.ExecSandboxRequest(sandbox_id=sandbox.id, command=command, tty=True, cols=80, rows=24))
        yield api.ExecSandboxInput(resize=api.ExecSandboxWindowResize(cols=100, rows=30))
        yield api.ExecSandboxInput(stdin=b"word\\n")
        over.wait(30)
    output, code = b"", None
    for event in stub.ExecSandboxInteractive(said(), timeout=30):
        if event.WhichOneof("payload") == "exit":
            code = event.exit.exit_code
            over.set()
        else:
            output += event.stdout.data
    answer({"output": output.decode(), "code": code})
`);
    assert.match(story.output, /30 100\r\ngot word\r\n/);
    assert.equal(story.code, 4);
  });

  it("watches a sandbox become ready, and reads its log", async () => {
    const story = await python<Record<string, unknown>>(`
made = client.create(workspace=workspace, name="watched")
phases, logs = [], 0
stream = stub.WatchSandbox(api.WatchSandboxRequest(id=made.id, follow_status=True, follow_logs=True, log_tail_lines=10), timeout=30)
for event in stream:
    if event.WhichOneof("payload") == "sandbox":
        phases.append(event.sandbox.status.phase)
    else:
        logs += 1
    if logs > 0 and api.SANDBOX_PHASE_READY in phases:
        stream.cancel()
        break
lines = stub.GetSandboxLogs(api.GetSandboxLogsRequest(sandbox_id=made.id, lines=50)).logs
client.delete("watched", workspace=workspace)
answer({"ready": api.SANDBOX_PHASE_READY in phases, "logged": len(lines) > 0 and all(line.message for line in lines)})
`);
    assert.deepEqual(story, { ready: true, logged: true });
  });

  it("sets a policy, merges rules into it, and reads its revisions; settings, global and a sandbox's", async () => {
    const story = await python<Record<string, unknown>>(`${policy}
made = client.create(workspace=workspace, name="ruled", spec=api.SandboxSpec(policy=policy))
client.wait_ready("ruled", workspace=workspace)
policy.network_policies["web"].endpoints[0].access = "read-write"
revised = stub.UpdateConfig(api.UpdateConfigRequest(name="ruled", workspace=workspace, policy=policy))
rule = config.NetworkPolicyRule(name="more", endpoints=[config.NetworkEndpoint(host="more.example.test", port=443)],
                                binaries=[config.NetworkBinary(path="/usr/bin/git")])
merged = stub.UpdateConfig(api.UpdateConfigRequest(name="ruled", workspace=workspace, merge_operations=[
    api.PolicyMergeOperation(add_rule=api.AddNetworkRule(rule_name="more", rule=rule))]))
status = stub.GetSandboxPolicyStatus(api.GetSandboxPolicyStatusRequest(name="ruled", workspace=workspace))
revisions = stub.ListSandboxPolicies(api.ListSandboxPoliciesRequest(name="ruled", workspace=workspace)).revisions
stub.UpdateConfig(api.UpdateConfigRequest(name="ruled", workspace=workspace, setting_key="ocsf_json_enabled",
                                          setting_value=config.SettingValue(bool_value=True)))
effective = stub.GetSandboxConfig(config.GetSandboxConfigRequest(sandbox_id=made.id))
refused = status_of(lambda: stub.UpdateConfig(api.UpdateConfigRequest(name="ruled", workspace=workspace,
    policy=config.SandboxPolicy(version=1, network_policies={"bad": config.NetworkPolicyRule(endpoints=[config.NetworkEndpoint(host="")])}))))
client.delete("ruled", workspace=workspace)
answer({"versions": [revised.version, merged.version, status.active_version], "revisions": len(revisions),
        "rules": sorted(effective.policy.network_policies), "hash": effective.policy_hash == merged.policy_hash,
        "setting": effective.settings["ocsf_json_enabled"].value.bool_value, "refused": refused})
`);
    assert.deepEqual(story, {
      versions: [2, 3, 3],
      revisions: 3,
      rules: ["more", "web"],
      hash: true,
      setting: true,
      refused: "INVALID_ARGUMENT",
    });
  });

  it("keeps a provider whose secret never comes back, attaches it, and routes models to it", async () => {
    const secret = "sk-published-0123456789abcdef";
    const story = await python<Record<string, unknown> & { everything: string }>(`
created = stub.CreateProvider(api.CreateProviderRequest(provider=data.Provider(
    metadata=data.ObjectMeta(name="models", workspace=workspace), type="openai",
    credentials={"OPENAI_API_KEY": "${secret}"}, config={"OPENAI_BASE_URL": "https://models.example.test/v1"})))
client.create(workspace=workspace, name="fed", spec=api.SandboxSpec())
attached = stub.AttachSandboxProvider(api.AttachSandboxProviderRequest(sandbox_name="fed", provider_name="models", workspace=workspace))
listed = stub.ListSandboxProviders(api.ListSandboxProvidersRequest(sandbox_name="fed", workspace=workspace))
routes = InferenceRouteClient.from_sandbox_client(client)
route = routes.set_route(provider_name="models", model_id="some-model", workspace=workspace, no_verify=True)
read = routes.get_route(workspace=workspace)
gone = routes.delete_route(workspace=workspace)
detached = stub.DetachSandboxProvider(api.DetachSandboxProviderRequest(sandbox_name="fed", provider_name="models", workspace=workspace))
client.delete("fed", workspace=workspace)
client.wait_deleted("fed", workspace=workspace)
deleted = stub.DeleteProvider(api.DeleteProviderRequest(name="models", workspace=workspace))
answer({"attached": attached.attached, "listed": [provider.metadata.name for provider in listed.providers],
        "route": [route.model_id, read.provider_name, gone], "detached": detached.detached, "deleted": deleted.deleted,
        "everything": str([created, attached, listed, detached])})
`);
    const { everything, ...rest } = story;
    assert.deepEqual(rest, {
      attached: true,
      listed: ["models"],
      route: ["some-model", "models", true],
      detached: true,
      deleted: true,
    });
    assert.ok(!everything.includes(secret));
  });

  it("makes a workspace with a member, and an SSH session that it can take back", async () => {
    const story = await python<Record<string, unknown>>(`
workspaces = WorkspaceClient.from_sandbox_client(client)
workspaces.create("published", labels={"k": "v"})
stub.AddWorkspaceMember(api.AddWorkspaceMemberRequest(workspace="published", principal_subject="alice", role=1))
members = stub.ListWorkspaceMembers(api.ListWorkspaceMembersRequest(workspace="published")).members
stub.RemoveWorkspaceMember(api.RemoveWorkspaceMemberRequest(workspace="published", principal_subject="alice"))
found = [workspace.name for workspace in workspaces.list()]
deleted = workspaces.delete("published")
with Sandbox(workspace=workspace) as sandbox:
    session = stub.CreateSshSession(api.CreateSshSessionRequest(sandbox_id=sandbox.id))
    revoked = stub.RevokeSshSession(api.RevokeSshSessionRequest(token=session.token))
answer({"members": [member.principal_subject for member in members], "found": found, "deleted": deleted,
        "ssh": [session.gateway_scheme, session.gateway_host, len(session.token) > 20, revoked.revoked]})
`);
    assert.deepEqual(story, {
      members: ["alice"],
      found: ["default", "published"],
      deleted: true,
      ssh: ["https", "127.0.0.1", true, true],
    });
  });
});
