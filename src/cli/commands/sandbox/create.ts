import type { SandboxPolicyJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { SandboxJson } from "../../../gen/openshell/v1/sandbox_pb.ts";
import type { Agent } from "../../agents/agent.ts";
import { agentOf, agentPresets, knownAgents } from "../../agents/known-agents.ts";
import type { AgentPlan } from "../../agents/plan-agent.ts";
import type { Gateway } from "../../api/gateway.ts";
import { gatewayTarget } from "../../api/gateway-target.ts";
import { forgetSandbox, lastSandbox, rememberSandbox } from "../../api/last-sandbox.ts";
import { createSandbox, deleteSandbox, updateConfig } from "../../api/methods.ts";
import { RpcError } from "../../api/rpc-error.ts";
import { sandboxView } from "../../api/sandbox-view.ts";
import { waitForStart } from "../../api/wait-for-phase.ts";
import { defineCommand } from "../../command.ts";
import type { CommandContext } from "../../command-context.ts";
import { usageFailure } from "../../command-failure.ts";
import { requireTools } from "../../doctor/tools.ts";
import { execSession, terminalByDefault } from "../../exec-session.ts";
import { anyText, list, text, toggle, value } from "../../flags/flag.ts";
import {
  environmentVariable,
  folderMount,
  keyValue,
  localAndDestination,
  oneOf,
  resourceName,
} from "../../flags/meanings.ts";
import { outputFlag } from "../../flags/output-flag.ts";
import { type PortSpec, portSpec } from "../../forward/port-spec.ts";
import { holdInterruptions } from "../../hold-interruptions.ts";
import { askedImage } from "../../images/asked-image.ts";
import { structured } from "../../output/structured.ts";
import { loadPolicyFile } from "../../policy-file.ts";
import { askedFolders, refuseFoldersElsewhere, withFolder } from "../../review/asked-folders.ts";
import { type EditorName, editorNames } from "../../ssh/editors.ts";
import {
  type LifecycleFlags,
  lifecycleFlags,
  lifecycleSpec,
  refuseLifecycleContradictions,
} from "./lifecycle-flags.ts";
import { limitFlags, templateSpec } from "./limit-flags.ts";

export const command = defineCommand({
  name: "create",
  summary: "make a sandbox, and run a command in it",
  details:
    "With a command: runs it as soon as the sandbox is ready, joined to this terminal, and ends with its exit code. " +
    "Without: prints the sandbox's name once it is ready. Without --policy nothing outside can be reached. " +
    "With --workspace FOLDER (a path with a slash, or .) it works in a copy-on-write view of that folder: see `openshell " +
    "sandbox diff` and `apply`. " +
    `The agents ${knownAgents.map(({ command }) => command).join(", ")} are set up and, if they are missing, ` +
    "installed: see docs/agents.md.",
  positionals: { command: { kind: "rest", summary: "the command to run, with its arguments" } },
  flags: {
    name: value("what to call it; one is made up otherwise", resourceName, { placeholder: "NAME" }),
    policy: text("policy file: what it may read, write and reach", { placeholder: "FILE" }),
    preset: list("add the rules of a preset: see `openshell policy presets list`", anyName, { placeholder: "NAME" }),
    observe: toggle("deny nothing by policy, and record what would have been denied, to learn a policy from it"),
    env: list("set a variable for everything that runs in it", environmentVariable, { placeholder: "K=V" }),
    keep: toggle("keep the sandbox when the command ends (it is by default), or delete it", { negatable: true }),
    tty: toggle("give the command a terminal, or not", { negatable: true }),
    label: list("attach a label", keyValue, { placeholder: "K=V" }),
    "approval-mode": value(
      "who approves proposed rules: manual, or auto for those without a security note",
      oneOf(["manual", "auto"]),
      {
        placeholder: "MODE",
      },
    ),
    output: outputFlag,
    from: text(
      "start from an image instead of this machine's own programs: one of Docker's or Podman's, one built of a folder or a " +
        "Dockerfile, or a community sandbox by its bare name",
      { placeholder: "IMAGE|FOLDER|DOCKERFILE|NAME" },
    ),
    upload: list("copy a file or folder into it first, as `sandbox upload` does", localAndDestination, {
      placeholder: "LOCAL[:DEST]",
    }),
    mount: list(
      "show it a folder or a file of the gateway's machine; without :ro it writes to that itself",
      folderMount,
      {
        placeholder: "HOST:SANDBOX[:ro]",
      },
    ),
    "no-git-ignore": toggle("with --upload: copy what git ignores, and .git, too"),
    editor: value("open it in an editor once it is ready: vscode, cursor", oneOf(editorNames), {
      placeholder: "EDITOR",
    }),
    ...limitFlags,
    provider: list("attach a provider: its credentials, and the endpoints they are for", anyText, {
      placeholder: "NAME",
    }),
    "auto-providers": toggle(
      "attach a provider that the command, a known agent, can use (it is by default), also one made of the environment",
      { negatable: true },
    ),
    forward: list(
      "make a port of it reachable here, for as long as it is there, as `forward start -d` does",
      portSpec,
      {
        placeholder: "[ADDRESS:][LOCAL:]PORT",
      },
    ),
    detach: toggle("let the sandbox run the command by itself; what it prints goes to /var/log/openshell-command.log"),
    ...lifecycleFlags,
  },
  examples: [
    { typed: "openshell sandbox create -- uname -a", meaning: "Run one command, keep the sandbox" },
    { typed: "openshell sandbox create --no-keep --policy policy.yaml -- npm test", meaning: "Run and clean up" },
    {
      typed: "openshell sandbox create --name demo --observe -- npm test",
      meaning: "Let it reach what it asks for; then `openshell policy learn demo`",
    },
    {
      typed: "openshell sandbox create -- claude",
      meaning: "An agent, set up to use the operator's models or its own",
    },
    {
      typed: "openshell sandbox create --upload .:/sandbox/project -- make -C project",
      meaning: "Copy this folder into it, without what git ignores, then run",
    },
    {
      typed: "openshell sandbox create --name demo --workspace . -- claude",
      meaning: "Work on this folder without changing it; then `openshell sandbox diff demo`",
    },
    {
      typed: "openshell sandbox create --from ./image -- bash",
      meaning: "From the Dockerfile of a folder, built by this machine's engine",
    },
    { typed: "openshell sandbox create --name demo", meaning: "A sandbox to work in with `sandbox exec`" },
    {
      typed: "openshell sandbox create --name bot --detach --restart on-failure -- node bot.js",
      meaning: "A command that goes on by itself, also after a restart of this machine",
    },
  ],
  action: async (typed, { flags, words }) => {
    refuseContradictions(flags, words.command);
    const { context, folder } = withFolder(typed);
    refuseFoldersElsewhere(folder, flags.mount, context);
    const agent = agentOf(words.command);
    const policy = await askedPolicy(flags, agent, context);
    if (gatewayTarget(context.globals, context.environment).isLocal) requireTools(context.environment);
    const provideImage = preparedImage(flags, context);
    const uploadAll = await preparedUploads(flags, context);
    const gateway = await context.gateway();
    const from = await provideImage(gateway);
    const plan = agent && (await plannedAgent(agent, flags, { gateway, context }));
    // The gateway makes the sandbox whether or not somebody waits for it: whoever asked must stay to delete it.
    const isDeletedHere = flags.keep === false && !flags.detach;
    using interruption = isDeletedHere ? holdInterruptions(context.signals) : undefined;
    const { sandbox = {} } = await gateway.channel.unary(createSandbox, {
      name: flags.name ?? "",
      labels: Object.fromEntries(flags.label),
      workspace: context.globals.workspace,
      spec: {
        environment: { ...plan?.environment, ...Object.fromEntries(flags.env) },
        providers: [...(plan?.providers ?? flags.provider)],
        ...(policy && { policy }),
        ...(flags.observe && { observe: true }),
        folders: askedFolders(folder, flags.mount),
        ...lifecycleSpec(flags, words.command),
        ...templateSpec({ ...flags, from }),
      },
    });
    const usedBefore = lastSandbox(gateway, context);
    rememberSandbox(sandbox.metadata?.name ?? "", gateway, context);
    try {
      await setApprovalMode(sandbox, flags["approval-mode"], gateway);
      if (interruption?.exitCode !== undefined) return interruption.exitCode;
      await uploadAll(sandbox, gateway);
      await forwardAll(flags.forward, sandbox, { gateway, context });
      if (words.command.length === 0 || flags.detach) return await leaveReady(sandbox, gateway, { context, flags });
      if (plan) {
        const { provisionAgent } = await import("../../agents/provision-agent.ts");
        await provisionAgent(plan, sandbox, { gateway, context });
      }
      return await execSession(
        {
          sandboxId: sandbox.metadata?.id ?? "",
          command: words.command,
          tty: flags.tty ?? terminalByDefault(context),
        },
        gateway,
        context,
      );
    } finally {
      if (isDeletedHere) {
        await remove(sandbox, gateway, context);
        // What a command without a name meant before this sandbox came and went, it means again.
        if (usedBefore !== undefined) rememberSandbox(usedBefore, gateway, context);
      }
    }
  },
});

interface CreateFlags extends UploadFlags, LifecycleFlags {
  readonly editor: EditorName | undefined;
}

function refuseContradictions(flags: CreateFlags, command: readonly string[]): void {
  refuseLifecycleContradictions(flags, command);
  if (flags.editor !== undefined && command.length > 0 && !flags.detach) {
    throw usageFailure("an editor and a command can't both have this terminal", "give the command --detach");
  }
  if (flags["no-git-ignore"] && flags.upload.length === 0) {
    throw usageFailure("--no-git-ignore says what --upload copies, and there is no --upload");
  }
}

interface UploadFlags {
  readonly upload: readonly { readonly local: string; readonly destination: string }[];
  readonly "no-git-ignore": boolean | undefined;
}

/** Looks for the files before there is a sandbox to delete again. @returns what then copies them. */
async function preparedUploads(
  flags: UploadFlags,
  context: CommandContext,
): Promise<(sandbox: SandboxJson, gateway: Gateway) => Promise<void>> {
  if (flags.upload.length === 0) return async () => {};
  const { upload, uploadSource } = await import("../../transfer/upload.ts");
  const gitIgnore = flags["no-git-ignore"] !== true;
  const uploads = await Promise.all(
    flags.upload.map(async ({ local, destination }) => {
      return { source: await uploadSource({ local, gitIgnore }, context), destination };
    }),
  );
  return async ({ metadata }, gateway) => {
    for (const { source, destination } of uploads) {
      await upload(source, { sandboxId: metadata?.id ?? "", destination }, { gateway, context });
    }
  };
}

/** Ports are there from the start: what listens behind them comes when it comes. */
async function forwardAll(
  specs: readonly PortSpec[],
  { metadata }: SandboxJson,
  reach: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<void> {
  if (specs.length === 0) return;
  const { forwardInBackground } = await import("../../forward/forward-in-background.ts");
  for (const spec of specs) reach.context.note((await forwardInBackground(spec, metadata?.name ?? "", reach)).said);
}

/** Looks for what to build before anything is asked of a gateway. @returns what then gives the image's name. */
function preparedImage(
  flags: { readonly from: string | undefined; readonly output: string },
  context: CommandContext,
): (gateway: Gateway) => Promise<string | undefined> {
  if (flags.from === undefined) return async () => undefined;
  const asked = askedImage(flags.from, context.environment);
  return async (gateway) => {
    const { provideImage } = await import("../../images/provide-image.ts");
    return await provideImage(asked, { gateway, context, isQuiet: flags.output !== "table" });
  };
}

interface PolicyFlags {
  readonly policy: string | undefined;
  readonly preset: readonly string[];
}

/** Undefined: the gateway's default. An agent's own presets are for whoever gives no policy. */
async function askedPolicy(
  { policy: file, preset: typed }: PolicyFlags,
  agent: Agent | undefined,
  context: CommandContext,
): Promise<SandboxPolicyJson | undefined> {
  const presets = agent !== undefined && file === undefined ? [...agentPresets, ...typed] : typed;
  if (presets.length === 0) return file === undefined ? undefined : await loadPolicyFile(file, context);
  const { loadPolicyWithPresets } = await import("../../presets/presets.ts");
  return await loadPolicyWithPresets(file, presets, context);
}

interface AgentFlags {
  readonly policy: string | undefined;
  readonly provider: readonly string[];
  readonly env: readonly (readonly [string, string])[];
  readonly "auto-providers": boolean | undefined;
}

async function plannedAgent(
  agent: Agent,
  flags: AgentFlags,
  reach: { readonly gateway: Gateway; readonly context: CommandContext },
): Promise<AgentPlan> {
  const { planAgent } = await import("../../agents/plan-agent.ts");
  const environment = Object.fromEntries(flags.env);
  const { provider: providers, "auto-providers": autoProviders, policy } = flags;
  return planAgent(agent, { providers, environment, autoProviders, hasPolicy: policy !== undefined }, reach);
}

async function setApprovalMode({ metadata }: SandboxJson, mode: string | undefined, gateway: Gateway): Promise<void> {
  if (mode === undefined) return;
  await gateway.channel.unary(updateConfig, {
    name: metadata?.name ?? "",
    workspace: metadata?.workspace ?? "",
    settingKey: "proposal_approval_mode",
    settingValue: { stringValue: mode },
  });
}

function anyName(typed: string): { ok: true; value: string } {
  return { ok: true, value: typed };
}

interface LeavingFlags {
  readonly output: "table" | "json" | "yaml";
  readonly editor: EditorName | undefined;
}

async function leaveReady(
  sandbox: SandboxJson,
  gateway: Gateway,
  { context, flags }: { readonly context: CommandContext; readonly flags: LeavingFlags },
): Promise<number> {
  const view = sandboxView(await waitForStart(sandbox, gateway));
  context.print(flags.output === "table" ? `${view.name}\n` : await structured(flags.output, view));
  if (flags.editor === undefined) return 0;
  const { openInEditor } = await import("../../ssh/editor.ts");
  // Its host key is written down as well, for the editor's `ssh`.
  const { openSshHost } = await import("../../ssh/open-ssh-host.ts");
  return openInEditor(flags.editor, await openSshHost(view.name, context), context);
}

/** Also after Ctrl-C: the signal went to the command, and this runs when that has ended. */
async function remove(sandbox: SandboxJson, gateway: Gateway, context: CommandContext): Promise<void> {
  const name = sandbox.metadata?.name ?? "";
  await gateway.channel.unary(deleteSandbox, { name, workspace: context.globals.workspace }).catch((error: unknown) => {
    // The gateway deletes what is not to be kept by itself, when nobody seems to be there any more.
    if (!(error instanceof RpcError && error.code === "not_found")) throw error;
  });
  forgetSandbox(name, gateway, context);
}
