/** All methods of the API, asked by each kind of caller for each workspace. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { create, type DescMessage, type DescMethod, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { Inference } from "../../gen/openshell/inference/v1/inference_pb.ts";
import { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";
import { type Caller, callerKey } from "../server/caller.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import { Workspaces } from "../workspaces/workspaces.ts";
import { type AccessContext, authorize } from "./authorize.ts";
import type { Role } from "./role.ts";

const methods: readonly DescMethod[] = [...OpenShell.methods, ...Inference.methods];
/** By what they are called, for whoever reads this: not from the table. */
const isSupervisors = ({ name }: DescMethod) =>
  /^(ConnectSupervisor|RelayStream|PushSandboxLogs|Report\w+|IssueSandboxToken|RefreshSandboxToken)$/.test(name) ||
  /^(GetSandboxProviderEnvironment|GetInferenceBundle)$/.test(name);
const isReading = ({ name }: DescMethod) =>
  /^(Get|List(?!SshSessions)|Watch|Review|Lint)/.test(name) && !/^(GetSandboxProvider|GetInferenceBundle)/.test(name);
const isForAdmins = ({ name }: DescMethod) =>
  /^(Create|Delete|Add|Remove)Workspace|^(Create|Update|Delete|Configure|Rotate|Import)Provider|^(RotateSecretsKey|BuildImage)$/.test(
    name,
  ) || /^(Set|Delete)InferenceRoute$/.test(name);
/** Everybody who is known may ask; what they are told is theirs. */
const isPersonal = ({ name }: DescMethod) => /^(GetCurrentUser|GetGatewayInfo|ListWorkspaces)$/.test(name);
const isGateways = ({ name }: DescMethod) =>
  /^(GetGatewayConfig|RotateSecretsKey|BuildImage|(Create)Workspace)$/.test(name);

const directory = mkdtempSync(join(tmpdir(), "openshell-access-"));
const store = openSqliteStore(directory);
const workspaces = new Workspaces({
  workspaces: store.resources("workspace"),
  members: store.resources("workspace_member"),
  now: Date.now,
});
await workspaces.create("team", {});
await workspaces.create("other", {});
await workspaces.putMember("team", "uma", "user");
await workspaces.putMember("team", "ada", "admin");

const context: AccessContext = {
  workspaces,
  registry: {
    look: async (id: string) => (id.endsWith("-box") ? { workspace: id.slice(0, -4) } : undefined),
  } as unknown as AccessContext["registry"],
  sshSessions: {
    get: async (id: string) => ({ sandboxId: id }),
    find: async () => undefined,
  } as unknown as AccessContext["sshSessions"],
};

/** A request for a method that names the workspace in whichever way the method does. */
function messageFor({ input, name }: DescMethod, workspace: string): object {
  const sandbox = `${workspace}-box`;
  const opening = { sandboxId: sandbox };
  const all: Record<string, unknown> = { workspace, sandboxId: sandbox, id: sandbox, sessionId: sandbox };
  if (/^\w+Workspace$/.test(name) && !name.startsWith("Review")) all["name"] = workspace;
  const own = Object.fromEntries(
    input.fields.flatMap(({ localName }) => (localName in all ? [[localName, all[localName]]] : [])),
  );
  const start = { payload: { case: "start", value: opening } };
  const init = { payload: { case: "init", value: opening } };
  const whole = name === "ExecSandboxInteractive" ? start : name === "ForwardTcp" ? init : own;
  return create(input, whole as MessageInitShape<DescMessage>);
}

/** The code of the refusal; undefined when the call gets through, with all its messages. */
async function refusal(caller: Caller, method: DescMethod, message: object): Promise<Code | undefined> {
  const stream = method.methodKind !== "unary";
  const contextValues = createContextValues().set(callerKey, caller);
  const sent = stream
    ? (async function* () {
        yield message;
      })()
    : message;
  const request = { stream, method, contextValues, message: sent };
  const seen: object[] = [];
  const next = async (passed: { readonly message: object | AsyncIterable<object> }) => {
    if (!stream) seen.push(passed.message);
    else for await (const one of passed.message as AsyncIterable<object>) seen.push(one);
    return {};
  };
  try {
    await authorize(context)(next as never)(request as never);
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return error.code;
  }
  assert.deepEqual(seen, [message]);
  return undefined;
}

function user(subject: string, role?: Role, workspaceRoles: ReadonlyMap<string, Role> = new Map()): Caller {
  const identity = { subject, displayName: subject, identityProvider: "mtls" };
  return { kind: "user", ...identity, role, workspaceRoles, isOnThisMachine: false };
}
const names = (some: readonly DescMethod[]) => some.map(({ name }) => name).sort();

async function permitted(caller: Caller, workspace: string): Promise<string[]> {
  const through: DescMethod[] = [];
  for (const method of methods) {
    const code = await refusal(caller, method, messageFor(method, workspace));
    if (code === undefined) through.push(method);
    else assert.ok([Code.PermissionDenied, Code.Unauthenticated].includes(code), `${method.name}: ${Code[code]}`);
  }
  return names(through);
}

describe("what a caller may do", () => {
  after(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  const health = methods.filter(({ name }) => name === "Health");
  const ofUsers = methods.filter((method) => !isSupervisors(method));
  const personal = [...health, ...ofUsers.filter(isPersonal)];

  for (const workspace of ["default", "team", "other"]) {
    it(`about workspace ${workspace}: nobody knows a stranger`, async () => {
      assert.deepEqual(await permitted({ kind: "anonymous" }, workspace), ["Health"]);
    });

    it(`about workspace ${workspace}: a supervisor reports, and asks nothing else`, async () => {
      const wanted = names([...health, ...methods.filter(isSupervisors)]);
      assert.deepEqual(await permitted({ kind: "supervisor", token: "t" }, workspace), wanted);
    });

    it(`about workspace ${workspace}: the gateway's viewers, users and admins`, async () => {
      const reading = [...health, ...ofUsers.filter(isReading)];
      assert.deepEqual(await permitted(user("vera", "viewer"), workspace), names(reading));
      const using = ofUsers.filter((method) => !isForAdmins(method));
      assert.deepEqual(await permitted(user("uwe", "user"), workspace), names(using));
      assert.deepEqual(await permitted(user("anna", "admin"), workspace), names(ofUsers));
    });

    it(`about workspace ${workspace}: its members, and those of others`, async () => {
      const isOwn = workspace === "team";
      const ofWorkspace = ofUsers.filter((method) => !isGateways(method) && method.name !== "DeleteWorkspace");
      const using = ofWorkspace.filter((method) => !isForAdmins(method));
      assert.deepEqual(await permitted(user("uma"), workspace), names(isOwn ? using : personal));
      assert.deepEqual(await permitted(user("ada"), workspace), names(isOwn ? ofWorkspace : personal));
      const ofGroup = user("gus", undefined, new Map([["team", "user"]]));
      assert.deepEqual(await permitted(ofGroup, workspace), names(isOwn ? using : personal));
      assert.deepEqual(await permitted(user("nobody"), workspace), names(personal));
    });
  }

  it("about all workspaces or the gateway is said by the gateway's roles alone", async () => {
    const list = OpenShell.method.listSandboxes;
    const everywhere = create(list.input, { workspace: "team", allWorkspaces: true });
    assert.equal(await refusal(user("ada"), list, everywhere), Code.PermissionDenied);
    assert.equal(await refusal(user("vera", "viewer"), list, everywhere), undefined);
    const config = OpenShell.method.updateConfig;
    const global = create(config.input, { workspace: "team", global: true });
    assert.equal(await refusal(user("ada", "user"), config, global), Code.PermissionDenied);
    assert.equal(await refusal(user("anna", "admin"), config, global), undefined);
  });

  it("tells of what there is not only to those who see everything", async () => {
    const get = OpenShell.method.getSandbox;
    const nowhere = create(get.input, { workspace: "nowhere", name: "a" });
    assert.equal(await refusal(user("vera", "viewer"), get, nowhere), Code.NotFound);
    assert.equal(await refusal(user("ada"), get, nowhere), Code.PermissionDenied);
    const exec = OpenShell.method.execSandbox;
    const unknown = create(exec.input, { sandboxId: "unknown" });
    assert.equal(await refusal(user("ada"), exec, unknown), Code.PermissionDenied);
    assert.equal(await refusal(user("uwe", "user"), exec, unknown), undefined, "the handler says what is not there");
  });

  it("changes what is for all workspaces for admins of the gateway alone", async () => {
    const importing = OpenShell.method.importProviderProfiles;
    const forAll = create(importing.input, { workspace: "" });
    assert.equal(await refusal(user("ada"), importing, forAll), Code.PermissionDenied, "an admin of a workspace");
    assert.equal(await refusal(user("uwe", "user"), importing, forAll), Code.PermissionDenied);
    assert.equal(await refusal(user("anna", "admin"), importing, forAll), undefined);
    assert.equal(await refusal(user("ada"), importing, create(importing.input, { workspace: "team" })), undefined);
  });

  it("makes nothing new in a workspace that is being deleted", async () => {
    await workspaces.create("ending", {});
    const make = OpenShell.method.createSandbox;
    await workspaces.remove("ending", async () => {
      const inIt = create(make.input, { workspace: "ending" });
      assert.equal(await refusal(user("anna", "admin"), make, inIt), Code.FailedPrecondition);
      return [];
    });
    assert.equal(await workspaces.find("ending"), undefined);
  });
});
