/** Who may call what. A method without a row does not compile, so none is ever open by oversight. */
import type { Inference } from "../../gen/openshell/inference/v1/inference_pb.ts";
import type { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";
import type { Role } from "./role.ts";

export type ApiMethod = keyof (typeof OpenShell)["method"] | keyof (typeof Inference)["method"];

/** What a request is about, and so whose roles count. */
export type Place =
  /** Nothing that is anybody's: whoever is known may ask. */
  | "nothing"
  | "gateway"
  /** The workspace that it names. */
  | "workspace"
  /** The same; or all of them, where it names none. */
  | "workspace-or-all"
  /** The workspace whose name is the request's `name`. */
  | "workspace-itself"
  /** The workspace of the sandbox that it names by its id. */
  | "sandbox"
  /** The workspace of the sandbox that the SSH session is for. */
  | "ssh-session";

export interface UserRule {
  readonly for: "user";
  readonly place: Place;
  readonly role: Role;
  /** The role on the gateway that a request wants which is about all workspaces, or about the gateway (`global`). */
  readonly everywhere: Role;
}

export type Rule = UserRule | { readonly for: "anyone" } | { readonly for: "supervisor" };

const anyone: Rule = { for: "anyone" };
/** A sandbox's own, who shows its token; each checks that against the sandbox that the request names. */
const supervisor: Rule = { for: "supervisor" };
/** Tells something, and changes nothing. */
const view = (place: Place): Rule => ({ for: "user", place, role: "viewer", everywhere: "viewer" });
/** Works with sandboxes: what happens inside, and what they may reach. */
const use = (place: Place): Rule => ({ for: "user", place, role: "user", everywhere: "admin" });
/** Decides what all users of the place work with: credentials, models, members. */
const administer = (place: Place): Rule => ({ for: "user", place, role: "admin", everywhere: "admin" });

export const accessTable: Readonly<Record<ApiMethod, Rule>> = {
  // So that a client can tell "not reachable" from "not authenticated".
  health: anyone,
  getCurrentUser: view("nothing"),
  getGatewayInfo: view("nothing"),

  createSandbox: use("workspace"),
  getSandbox: view("workspace"),
  listSandboxes: view("workspace"),
  watchSandbox: view("sandbox"),
  watchSandboxes: view("workspace"),
  getSandboxLogs: view("sandbox"),
  deleteSandbox: use("workspace"),
  stopSandbox: use("workspace"),
  startSandbox: use("workspace"),
  reviewWorkspace: view("workspace"),
  discardChanges: use("workspace"),
  createSnapshot: use("workspace"),
  listSnapshots: view("workspace"),
  deleteSnapshot: use("workspace"),
  rollbackSandbox: use("workspace"),
  forkSandbox: use("workspace"),

  pullImage: use("workspace"),
  // Its steps run under no policy.
  buildImage: administer("gateway"),

  execSandbox: use("sandbox"),
  execSandboxInteractive: use("sandbox"),
  forwardTcp: use("sandbox"),
  createSshSession: use("sandbox"),
  listSshSessions: use("sandbox"),
  revokeSshSession: use("ssh-session"),
  exposeService: use("workspace"),
  getService: view("workspace"),
  listServices: view("workspace"),
  deleteService: use("workspace"),

  getSandboxConfig: view("sandbox"),
  getGatewayConfig: view("gateway"),
  updateConfig: use("workspace"),
  getSandboxPolicyStatus: view("workspace"),
  listSandboxPolicies: view("workspace"),
  submitPolicyAnalysis: use("workspace"),
  getDraftPolicy: view("workspace"),
  approveDraftChunk: use("workspace"),
  rejectDraftChunk: use("workspace"),
  approveAllDraftChunks: use("workspace"),
  editDraftChunk: use("workspace"),
  undoDraftChunk: use("workspace"),
  clearDraftChunks: use("workspace"),
  getDraftHistory: view("workspace"),

  createProvider: administer("workspace"),
  getProvider: view("workspace"),
  listProviders: view("workspace"),
  updateProvider: administer("workspace"),
  deleteProvider: administer("workspace"),
  listSandboxProviders: view("workspace"),
  attachSandboxProvider: use("workspace"),
  detachSandboxProvider: use("workspace"),
  listProviderProfiles: view("workspace-or-all"),
  getProviderProfile: view("workspace-or-all"),
  lintProviderProfiles: view("workspace-or-all"),
  importProviderProfiles: administer("workspace-or-all"),
  updateProviderProfiles: administer("workspace-or-all"),
  deleteProviderProfile: administer("workspace-or-all"),
  getProviderRefreshStatus: view("workspace"),
  configureProviderRefresh: administer("workspace"),
  rotateProviderCredential: administer("workspace"),
  deleteProviderRefresh: administer("workspace"),
  rotateSecretsKey: administer("gateway"),

  setInferenceRoute: administer("workspace"),
  getInferenceRoute: view("workspace"),
  listInferenceRoutes: view("workspace"),
  deleteInferenceRoute: administer("workspace"),
  // Asks the model, which costs.
  testInferenceRoute: use("workspace"),
  getInferenceUsage: view("workspace"),

  createWorkspace: administer("gateway"),
  getWorkspace: view("workspace-itself"),
  // Gives each user their own.
  listWorkspaces: view("nothing"),
  deleteWorkspace: administer("gateway"),
  addWorkspaceMember: administer("workspace"),
  removeWorkspaceMember: administer("workspace"),
  listWorkspaceMembers: view("workspace"),

  connectSupervisor: supervisor,
  relayStream: supervisor,
  pushSandboxLogs: supervisor,
  reportPolicyStatus: supervisor,
  reportMainProcessExit: supervisor,
  getSandboxProviderEnvironment: supervisor,
  issueSandboxToken: supervisor,
  refreshSandboxToken: supervisor,
  getInferenceBundle: supervisor,
};
