/** Lets through who may call a method, for what the request is about, as the access table says. */
import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import type { GatewayContext } from "../context.ts";
import { failedPrecondition, invalid, notFound, permissionDenied, unauthenticated } from "../refuse.ts";
import { type Caller, callerKey, type UserCaller } from "../server/caller.ts";
import { workspaceName } from "../workspaces/workspace.ts";
import { type ApiMethod, accessTable, type Rule, type UserRule } from "./access-table.ts";
import { type Address, addressOf } from "./address.ts";
import { peeked } from "./peeked.ts";
import { includesRole, type Role, strongerRole } from "./role.ts";

export type AccessContext = Pick<GatewayContext, "registry" | "workspaces" | "sshSessions">;

/**
 * Throws UNAUTHENTICATED, PERMISSION_DENIED; NOT_FOUND for a workspace that there is not, to those who may know. Of a
 * stream the first message says what it is about, and is waited for.
 */
export function authorize(context: AccessContext): Interceptor {
  return (next) => async (request) => {
    const rule = ruleOf(request.method);
    const caller = request.contextValues.get(callerKey);
    if (rule.for === "anyone") return next(request);
    const { name } = request.method;
    if (caller.kind !== "user" || rule.for !== "user") {
      requireKind(caller, rule.for, name);
      return next(request);
    }
    if (!request.stream) {
      await requireAccess(context, { rule, caller, name, address: addressOf(request.message) });
      return next(request);
    }
    const { first, all } = await peeked<object>(request.message);
    if (first === undefined) throw invalid("the first message is missing");
    await requireAccess(context, { rule, caller, name, address: addressOf(first) });
    return next({ ...request, message: all as typeof request.message });
  };
}

function ruleOf({ localName, name }: DescMethod): Rule {
  const rule = accessTable[localName as ApiMethod] as Rule | undefined;
  if (rule === undefined) throw permissionDenied(`${name} is for nobody`);
  return rule;
}

function requireKind({ kind }: Caller, wanted: "user" | "supervisor", method: string): void {
  if (kind === wanted) return;
  if (kind !== "anonymous") throw permissionDenied(`${method} is for a ${wanted}`);
  throw unauthenticated(
    wanted === "user" ? "a client certificate of this gateway is required" : "a sandbox's token is required",
  );
}

interface Question {
  readonly rule: UserRule;
  readonly caller: UserCaller;
  readonly name: string;
  readonly address: Address;
}

async function requireAccess(context: AccessContext, { rule, caller, name, address }: Question): Promise<void> {
  if (rule.place === "nothing") return;
  const namesNone = rule.place === "workspace-or-all" && address.workspace === "";
  const isEverywhere = rule.place === "gateway" || address.isEverywhere || namesNone;
  const named = isEverywhere ? undefined : await workspaceOf(context, rule, address);
  if (named === undefined) {
    // About the whole gateway; or about a sandbox that there is not, which only those may learn who see all of them.
    const wanted = isEverywhere ? rule.everywhere : rule.role;
    if (!includesRole(caller.role, wanted)) throw refused(caller, { name, wanted, where: "on this gateway" });
    return;
  }
  // Who may do it anywhere is not looked for among the workspace's members.
  if (!includesRole(caller.role, rule.role) && !includesRole(await roleIn(context, caller, named), rule.role)) {
    throw refused(caller, { name, wanted: rule.role, where: `in workspace "${named}"` });
  }
  const workspace = await context.workspaces.find(named);
  if (workspace === undefined) throw notFound(`workspace "${named}"`);
  const isEnding = workspace.body.phase === "terminating";
  if (isEnding && rule.role !== "viewer") throw failedPrecondition(`workspace "${named}" is being deleted`);
}

/** The workspace that the request is about; undefined if what it names is not there, or it names nothing. */
async function workspaceOf(
  { registry, sshSessions }: AccessContext,
  { place }: UserRule,
  address: Address,
): Promise<string | undefined> {
  switch (place) {
    case "workspace":
    case "workspace-or-all":
      return workspaceName(address.workspace);
    case "workspace-itself":
      return workspaceName(address.name);
    case "sandbox":
      return (await registry.look(address.sandboxId))?.workspace;
    case "ssh-session": {
      const session = await (address.token === ""
        ? sshSessions.get(address.sessionId)
        : sshSessions.find(address.token));
      return session && (await registry.look(session.sandboxId))?.workspace;
    }
    case "nothing":
    case "gateway":
      return undefined;
    default:
      return place satisfies never;
  }
}

async function roleIn({ workspaces }: AccessContext, caller: UserCaller, name: string): Promise<Role | undefined> {
  const ofGateway = strongerRole(caller.role, caller.workspaceRoles.get(name));
  return strongerRole(ofGateway, await workspaces.roleOf(name, caller.subject));
}

function refused(
  { subject }: UserCaller,
  { name, wanted, where }: { readonly name: string; readonly wanted: Role; readonly where: string },
) {
  return permissionDenied(`${name} needs the role ${wanted} ${where}, which ${subject} does not have`);
}
