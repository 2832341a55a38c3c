/** Workspaces of a real gateway, as its clients meet them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { WorkspaceRole } from "../../gen/openshell/v1/workspace_pb.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

describe("workspaces", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  it("each have sandboxes and providers of their own, under names of their own", async () => {
    const { client } = gateway;
    await client.createWorkspace({ name: "web", labels: { team: "web" } });
    const { sandbox } = await client.createSandbox({ name: "demo", workspace: "web" });
    await client.createSandbox({ name: "demo" });
    assert.equal(sandbox?.metadata?.workspace, "web");
    const provider = { metadata: { name: "llm" }, type: "openai", credentials: { OPENAI_API_KEY: "sk-of-web" } };
    await client.createProvider({ provider, workspace: "web" });
    await assert.rejects(client.getProvider({ name: "llm" }), isCode(Code.NotFound, /llm/));
    const places = async (request: { workspace?: string; allWorkspaces?: boolean }) =>
      (await client.listSandboxes(request)).sandboxes.map(({ metadata }) => metadata?.workspace);
    assert.deepEqual(await places({ workspace: "web" }), ["web"]);
    assert.deepEqual(await places({}), ["default"]);
    assert.deepEqual(await places({ allWorkspaces: true }), ["web", "default"]);
  });

  it("are there after a restart, and are found by label", async () => {
    await gateway.restart();
    const named = async (labelSelector: string) =>
      (await gateway.client.listWorkspaces({ labelSelector })).workspaces.map(({ metadata }) => metadata?.name);
    assert.deepEqual(await named(""), ["default", "web"]);
    assert.deepEqual(await named("team=web"), ["web"]);
  });

  it("have members, whose role can change", async () => {
    const { client } = gateway;
    const role = async () => (await client.listWorkspaceMembers({ workspace: "web" })).members.map((one) => one.role);
    await client.addWorkspaceMember({ workspace: "web", principalSubject: "ann", role: WorkspaceRole.USER });
    await client.addWorkspaceMember({ workspace: "web", principalSubject: "ann", role: WorkspaceRole.ADMIN });
    assert.deepEqual(await role(), [WorkspaceRole.ADMIN]);
    await assert.rejects(
      client.addWorkspaceMember({ workspace: "web", principalSubject: "bob" }),
      isCode(Code.InvalidArgument, /role/),
    );
    assert.equal((await client.removeWorkspaceMember({ workspace: "web", principalSubject: "ann" })).removed, true);
    assert.equal((await client.removeWorkspaceMember({ workspace: "web", principalSubject: "ann" })).removed, false);
  });

  it("are deleted once they are empty, and not before", async () => {
    const { client } = gateway;
    await assert.rejects(client.deleteWorkspace({ name: "web" }), isCode(Code.FailedPrecondition, /sandbox "demo"/));
    await client.deleteSandbox({ name: "demo", workspace: "web" });
    await assert.rejects(client.deleteWorkspace({ name: "web" }), isCode(Code.FailedPrecondition, /provider "llm"/));
    await client.deleteProvider({ name: "llm", workspace: "web" });
    await client.addWorkspaceMember({ workspace: "web", principalSubject: "ann", role: WorkspaceRole.USER });
    assert.equal((await client.deleteWorkspace({ name: "web" })).deleted, true);
    assert.equal((await client.deleteWorkspace({ name: "web" })).deleted, false);
    await client.createWorkspace({ name: "web" });
    assert.deepEqual((await client.listWorkspaceMembers({ workspace: "web" })).members, [], "nobody comes back");
    await client.deleteWorkspace({ name: "web" });
  });

  it("can be called neither anything, nor what is taken; and the default one stays", async () => {
    const { client } = gateway;
    await assert.rejects(client.createWorkspace({ name: "No/Such" }), isCode(Code.InvalidArgument, /lower-case/));
    await assert.rejects(client.createWorkspace({ name: "default" }), isCode(Code.AlreadyExists, /default/));
    await assert.rejects(client.deleteWorkspace({ name: "default" }), isCode(Code.FailedPrecondition, /default/));
    await assert.rejects(client.createSandbox({ workspace: "gone" }), isCode(Code.NotFound, /workspace "gone"/));
  });
});

function isCode(code: Code, message: RegExp) {
  return (error: unknown) => error instanceof ConnectError && error.code === code && message.test(error.message);
}
