import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { ApplyCredentialsSchema } from "../../gen/openshell/v1/provider_pb.ts";
import type { ModelRoutesJson } from "../../gen/openshell/v1/supervisor_pb.ts";
import { printYaml } from "../../policy/print.ts";
import { messageJsonToWritten } from "../../policy/wire-json.ts";
import type { GatewayContext } from "../context.ts";
import type { PreparedSupervisor } from "../drivers/driver.ts";
import { workdirOf } from "../folders/requests.ts";
import { policyJson } from "../policies/policy-json.ts";
import { type AttachedProvider, attachedCredentials } from "../providers/attached-providers.ts";
import type { PolicyRevisionRecord, SandboxRecord } from "../store/store.ts";
import { supervisorEnded } from "../supervisors/supervisor-lost.ts";
import { issueToken } from "../supervisors/token.ts";
import { untilStored } from "../supervisors/until-stored.ts";
import { lifetimeLeft } from "./lifetime.ts";
import { ownCommand } from "./own-command.ts";

/** What a new instance adds to a sandbox's record. Stored before the launch: the supervisor may connect at once. */
export interface Instance {
  readonly token: string;
  readonly record: Pick<SandboxRecord, "tokenHash"> & Required<Pick<SandboxRecord, "supervisor">>;
}

/** A new instance of a sandbox, to be run by this supervisor. */
export function newInstance({ process }: PreparedSupervisor): Instance {
  const { token, hash } = issueToken();
  return { token, record: { tokenHash: hash, supervisor: { ...process, instanceId: randomUUID() } } };
}

/** What a sandbox is launched with. */
export interface Launch {
  readonly record: SandboxRecord;
  readonly token: string;
  readonly policy: PolicyRevisionRecord;
  readonly attached: readonly AttachedProvider[];
  readonly modelRoutes: ModelRoutesJson;
  /** Whether the sandbox's own command is run, where it has one. */
  readonly runsCommand: boolean;
}

/** What began with nothing left: it ends at the first look. */
const OVER = { idleSeconds: 0, maxSeconds: 1 };

/** Tells the prepared supervisor to run the sandbox, and watches over its end. */
export function launch(
  context: GatewayContext,
  prepared: PreparedSupervisor,
  { record, token, policy, attached, modelRoutes, runsCommand }: Launch,
): void {
  const instanceId = record.supervisor?.instanceId ?? "";
  const message = policyJson(policy.policy);
  const command = runsCommand ? ownCommand(record) : undefined;
  prepared.launch({
    sandboxId: record.id,
    sandboxName: record.name,
    workspace: record.workspace,
    instanceId,
    gateway: { address: prepared.gateway, token, port: context.apiPort() },
    policy: { message, version: policy.version, hash: policy.hash },
    observe: record.spec.observe,
    policyText: printYaml(messageJsonToWritten(message)),
    modelRoutes,
    environment: record.spec.environment,
    credentials: toJson(ApplyCredentialsSchema, attachedCredentials(context.vault, record.id, attached)),
    upstream: context.upstream,
    directories: prepared.directories,
    limits: prepared.limits,
    folders: prepared.folders,
    workdir: workdirOf(record.spec),
    ...(command !== undefined && { command }),
    lifetime: lifetimeLeft(record, context.now()) ?? OVER,
  });
  context.ownInstances.add(instanceId);
  void prepared.ended.then(({ why }) => {
    context.ownInstances.delete(instanceId);
    if (context.signal.aborted) return undefined;
    // Nobody else will say it, and a sandbox whose end is not written down would be taken for one that runs.
    return untilStored(context, {
      what: `the end of sandbox ${record.id}`,
      store: () => supervisorEnded(context, { sandboxId: record.id, instanceId }, why),
    });
  });
}
