/** A sandbox's life as its supervisor sees it: build, open the doors, serve, close. */
import { readlinkSync } from "node:fs";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { ApplyCredentialsJson } from "../gen/openshell/v1/provider_pb.ts";
import type { ModelRoutesJson } from "../gen/openshell/v1/supervisor_pb.ts";
import { type ModelRoutes, modelRoutesFromJson } from "../inference/routes.ts";
import { processStartTime } from "../linux/process-stat.ts";
import { writeStandardError } from "../linux/standard-error.ts";
import { printError } from "../secrets/printed-error.ts";
import { VERSION } from "../version.ts";
import { openAuditLog } from "./audit/audit-log.ts";
import { DetachedCommands } from "./detached/detached-commands.ts";
import { trustBundle, UpstreamTrust } from "./egress/07-terminate/trust-bundle.ts";
import { Credentials } from "./egress/09-credential/credentials.ts";
import { type Audit, createAudit } from "./egress/11-audit.ts";
import { type Egress, openEgress } from "./egress/open-egress.ts";
import type { ExecContext } from "./exec.ts";
import { connectGateway, type GatewayLink, type PolicyOutcome } from "./gateway-link.ts";
import { type LaunchSpec, type PolicyRevision, WAKE_SIGNAL } from "./launch-spec.ts";
import { logSource } from "./log-source.ts";
import { loadPolicy, type PolicyInForce } from "./policy-in-force.ts";
import { sandboxEnvironment } from "./sandbox/environment.ts";
import { type BuiltSandbox, finishSandbox, type PreparedSandbox } from "./sandbox/prepared-sandbox.ts";
import { whenProgramsEnded } from "./sandbox/remaining-programs.ts";
import { writeSandboxProcesses } from "./sandbox-processes.ts";
import { failedStatus, RunningStatus, stoppedStatus } from "./sandbox-status.ts";
import { refuseTarget, serveTarget } from "./serve-target.ts";
import { type HostKey, loadHostKey } from "./ssh/host-key.ts";
import { runUnattended } from "./unattended.ts";

/** How long the gateway gets to hear the last status and the last events; one that is away hears them at the next start. */
const LAST_WORDS_MS = 500;
/** Nobody would know why a sandbox does not start, and it would be started again and again. */
const FAILURES_WORDS_MS = 5_000;

/** What a running sandbox consists of. */
interface Running {
  readonly hostKey: HostKey;
  readonly built: BuiltSandbox;
  readonly egress: Egress;
  readonly status: RunningStatus;
  readonly detached: DetachedCommands;
  inForce: PolicyInForce;
  credentials: Credentials;
  modelRoutes: ModelRoutes;
}

/**
 * Runs the sandbox to its end.
 * @param dismissal settles when the sandbox is to end at once, without farewell
 * @returns the supervisor's exit code: 0 after a stop that was asked for, 1 when the sandbox failed or went by itself
 */
export async function superviseSandbox(
  spec: LaunchSpec,
  prepared: PreparedSandbox,
  dismissal: Promise<void>,
): Promise<number> {
  const ending = new AbortController();
  using log = openAuditLog({
    directory: spec.directories.logs,
    sandboxId: spec.sandboxId,
    now: Date.now,
    onHealth: ({ error }) => error && writeStandardError(`audit log: ${error}\n`),
  });
  const audit = createAudit(log, { ...spec, hostname: spec.sandboxName, version: VERSION }, Date.now);
  audit.lifecycle("start", `sandbox ${spec.sandboxName}`);
  const stopRequest = Promise.withResolvers<number>();
  const running = start(spec, prepared, { audit, tell: (status) => link.reportStatus(status) });
  const execContext = ({ built, credentials }: Running): ExecContext => ({
    init: built.link,
    environment: sandboxEnvironment(
      spec.sandboxName,
      { ...credentials.environment, ...spec.environment },
      built.image?.environment ?? spec.imageEnvironment,
    ),
    workdir: built.image?.workdir ?? spec.workdir,
    onStarted: processAudit(audit),
  });
  const link: GatewayLink = connectGateway({
    ...spec.gateway,
    sandboxId: spec.sandboxId,
    instanceId: spec.instanceId,
    policyVersion: spec.policy.version,
    signal: ending.signal,
    logs: logSource(log, spec.sandboxId),
    handlers: {
      applyPolicy: async (revision) => applyPolicy(revision, await running, { audit, observe: spec.observe }),
      applyModelRoutes: (routes) => void running.then((it) => applyModelRoutes(routes, it), ignore),
      applyCredentials: (given) => void running.then((it) => applyCredentials(given, it), ignore),
      serve: (target, stream) => {
        running.then(
          (it) => {
            const { hostKey, egress, detached } = it;
            const ssh = { hostKey: hostKey.privateKey, audit, forward: egress.forward };
            serveTarget(target, stream, { ...execContext(it), ...ssh, detached, sandboxName: spec.sandboxName });
          },
          () => refuseTarget(target, stream),
        );
      },
      stop: stopRequest.resolve,
    },
  });
  process.on(WAKE_SIGNAL, () => link.wake());
  void dismissal.then(() => stopRequest.resolve(0));
  const exitCode = await serveToTheEnd(running, {
    link,
    stop: stopRequest.promise,
    onReady: (it, signal) => {
      const { initPid } = it.built;
      runUnattended(spec, {
        exec: () => execContext(it),
        initPid,
        status: it.status,
        audit,
        stop: stopRequest.resolve,
        signal,
      });
    },
  });
  audit.lifecycle("stop", `sandbox ${spec.sandboxName}`);
  log.flush();
  await Promise.race([link.close(), dismissal, delay(exitCode === 0 ? LAST_WORDS_MS : FAILURES_WORDS_MS)]);
  ending.abort();
  return exitCode;
}

async function start(
  spec: LaunchSpec,
  prepared: PreparedSandbox,
  { audit, tell }: { readonly audit: Audit; readonly tell: GatewayLink["reportStatus"] },
): Promise<Running> {
  const loaded = loadPolicy(spec.policy, spec);
  if (!loaded.ok) throw new Error(`the policy can't be loaded: ${loaded.error}`);
  const hostKey = loadHostKey(spec.directories.state);
  const built = await finishSandbox(prepared, spec, loaded.inForce.policy);
  recordProcesses(built, spec.directories.state);
  const policyVersion = loaded.inForce.compiled.revision.version;
  const status = new RunningStatus(built, { policyVersion, sshHostKey: hostKey.publicKey }, tell);
  const running: Running = {
    built,
    hostKey,
    status,
    detached: new DetachedCommands(spec.directories.state, (commands) => status.detachedCommands(commands)),
    inForce: loaded.inForce,
    credentials: new Credentials(spec.credentials),
    modelRoutes: modelRoutesFromJson(spec.modelRoutes),
    egress: await openEgress({
      spec,
      built,
      audit,
      authority: prepared.authority,
      trust: new UpstreamTrust(
        () => trustBundle(prepared.upstreamCertificates, built.image?.certificates ?? ""),
        spec.upstream.clientCertificates,
      ),
      policy: () => running.inForce.compiled,
      credentials: () => running.credentials,
      modelRoutes: () => running.modelRoutes,
    }),
  };
  audit.configChanged(spec.policy);
  recordWeaknesses(built, audit);
  if (spec.observe) recordObservation(audit);
  return running;
}

/** An engine knows its containers' processes by itself. */
function recordProcesses({ chainPid, initPid }: BuiltSandbox, stateDirectory: string): void {
  if (chainPid === undefined) return;
  writeSandboxProcesses(stateDirectory, {
    processes: [chainPid, initPid].map((pid) => ({ pid, startTime: processStartTime(pid) ?? "" })),
    networkNamespace: readlinkSync(`/proc/${initPid}/ns/net`),
  });
}

/** What is in force is less than what this product means, or than the policy asked for: that must not go unnoticed. */
function recordWeaknesses({ isolation, warnings }: BuiltSandbox, audit: Audit): void {
  for (const { name, value, remedy } of isolation.filter(({ strong }) => !strong)) {
    audit.finding({
      kind: "isolation_reduced",
      title: "The sandbox is less isolated than it should be",
      description: `${name}: ${value}`,
      severity: "high",
      ...(remedy !== undefined && { remedy }),
    });
  }
  for (const warning of warnings) {
    const title = "A path of the policy could not be shown in the sandbox";
    audit.finding({ kind: "path_missing", title, description: warning, severity: "low" });
  }
}

function recordObservation(audit: Audit): void {
  audit.finding({
    kind: "policy_not_enforced",
    title: "The sandbox's policy is not enforced",
    description: "the sandbox was created with --observe: what its policy would deny passes, and is recorded",
    severity: "high",
    remedy: "Create the sandbox again without --observe once its policy has been learned.",
  });
}

async function applyPolicy(
  revision: PolicyRevision,
  running: Running,
  { audit, observe }: { readonly audit: Audit; readonly observe: boolean },
): Promise<PolicyOutcome> {
  const { version, hash } = revision;
  const loaded = loadPolicy(revision, { running: running.inForce.policy, observe });
  if (!loaded.ok) {
    audit.configChanged({ version, hash, error: loaded.error });
    return { status: "failed", error: loaded.error };
  }
  running.inForce = loaded.inForce;
  running.egress.recheck();
  audit.configChanged({ version, hash });
  running.status.policyLoaded(version);
  return { status: "loaded" };
}

function applyCredentials(given: ApplyCredentialsJson, running: Running): void {
  running.credentials = new Credentials(given);
}

/** Routes that can't be read leave those before in force: the gateway's own mistake, for its log. */
function applyModelRoutes(routes: ModelRoutesJson, running: Running): void {
  try {
    running.modelRoutes = modelRoutesFromJson(routes);
  } catch (error) {
    printError(error);
  }
}

interface Service {
  readonly link: GatewayLink;
  /** Resolves with the grace once the sandbox is to end. */
  readonly stop: Promise<number>;
  /** Called once programs can be started; the signal is aborted as soon as the sandbox ends. */
  readonly onReady: (running: Running, signal: AbortSignal) => void;
}

/** Reports what becomes of the sandbox until it has ended, whoever ended it. */
async function serveToTheEnd(running: Promise<Running>, { link, stop, onReady }: Service): Promise<number> {
  let current: Running;
  try {
    current = await running;
  } catch (error) {
    link.reportStatus(failedStatus(error instanceof Error ? error.message : String(error)));
    return 1;
  }
  const { built, status } = current;
  const ending = new AbortController();
  status.ready(current.detached.list());
  onReady(current, ending.signal);
  const graceSeconds = await Promise.race([stop, built.ended.then(() => undefined)]);
  ending.abort();
  if (graceSeconds === undefined) {
    // Nothing is reported: the gateway is told by this process's end, and by its last words, and starts the sandbox anew.
    writeStandardError("the sandbox's first process ended\n");
    return 1;
  }
  if (graceSeconds > 0) {
    built.link.signalAll(constants.signals.SIGTERM);
    await whenProgramsEnded(built.initPid, AbortSignal.timeout(graceSeconds * 1000));
  }
  built.kill();
  await Promise.all([built.ended, current.egress.close()]);
  link.reportStatus(stoppedStatus());
  return 0;
}

/** Records the start of a program that someone asked for, and its end. */
function processAudit(audit: Audit): ExecContext["onStarted"] {
  return (pid, command) => {
    const started = { pid, path: command[0] ?? "", commandLine: command, startedAt: Date.now() };
    audit.processStarted(started);
    return ({ code, signal }) =>
      audit.processExited(started, code === null ? { signal: signalName(signal) } : { exitCode: code });
  };
}

/** A sandbox that failed has told so already. */
function ignore(): void {}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}
