import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AddWorkspaceMemberRequest, WorkspaceRole } from "../../../gen/openshell/v1/workspace_pb.ts";
import { fakeGateway } from "../../test-support/fake-gateway.ts";
import { CommandRunner } from "../../test-support/run-command.ts";

describe("openshell workspace", () => {
  it("makes a workspace with labels, and lists those that there are", async () => {
    const made: Record<string, unknown>[] = [];
    await using gateway = await fakeGateway({
      createWorkspace({ name, labels }) {
        made.push({ metadata: { name, labels, createdAtMs: BigInt(Date.now() - 120_000) } });
        return {};
      },
      listWorkspaces: () => ({ workspaces: [{ metadata: { name: "default" } }, ...made] }),
    });
    using runner = new CommandRunner();
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    assert.equal((await runner.run("ws", "create", "web", "--label", "team=web")).stdout, "web\n");
    const { stdout } = await runner.run("workspace", "list");
    assert.match(stdout, /^NAME +PHASE +AGE +LABELS\ndefault +Active +-.*\nweb +Active +2m.* +team=web\n$/);
    const [first] = JSON.parse((await runner.run("workspace", "list", "-o", "json")).stdout);
    assert.deepEqual([first.name, first.created_at], ["default", null]);
  });

  it("adds members to the workspace that is meant, as users if nothing else is said", async () => {
    const added: AddWorkspaceMemberRequest[] = [];
    await using gateway = await fakeGateway({
      addWorkspaceMember(request) {
        added.push(request);
        return {};
      },
      removeWorkspaceMember: () => ({ removed: false }),
    });
    using runner = new CommandRunner();
    runner.environment["OPENSHELL_GATEWAY_ENDPOINT"] = gateway.endpoint;
    await runner.run("workspace", "member", "add", "-w", "web", "--subject", "ann");
    await runner.run("workspace", "member", "add", "--workspace", "web", "--subject", "bob", "--role", "admin");
    assert.deepEqual(
      added.map(({ workspace, principalSubject, role }) => [workspace, principalSubject, role]),
      [
        ["web", "ann", WorkspaceRole.USER],
        ["web", "bob", WorkspaceRole.ADMIN],
      ],
    );
    const nobody = await runner.run("workspace", "member", "remove", "-w", "web", "--subject", "eve");
    assert.equal(nobody.exitCode, 1);
    assert.match(nobody.stderr, /"eve" is no member of workspace "web"/);
    assert.equal((await runner.run("workspace", "member", "add", "-w", "web")).exitCode, 2);
  });
});
