/**
 * The gateway's program. It always runs in the foreground, and whoever wants it in the background starts it detached;
 * `--foreground` says that nobody waits for it to serve.
 */
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { findEngine } from "../engine/find-engine.ts";
import { keepMemoryPrivate } from "../linux/private-memory.ts";
import { writeStandardError } from "../linux/standard-error.ts";
import { configDirectory } from "../locations/config-directory.ts";
import { kubernetesFilePath } from "../locations/kubernetes-file.ts";
import { runtimeDirectory } from "../locations/runtime-directory.ts";
import { stateDirectory } from "../locations/state-directory.ts";
import { KeyFile } from "../secrets/key-file.ts";
import { maskUncaughtErrors } from "../secrets/printed-error.ts";
import { VERSION } from "../version.ts";
import { type DriverName, parseGatewayArguments } from "./arguments.ts";
import { keepPrograms } from "./drivers/kept-programs.ts";
import { type KubernetesSettings, readKubernetesFile } from "./drivers/kubernetes/kubernetes-file.ts";
import { readExports } from "./export/exports-file.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { createGatewayLog } from "./gateway-log.ts";
import { traceTargetOf } from "./health/traces.ts";
import { takeInstanceLock } from "./instance-lock.ts";
import { readOidcSettings } from "./oidc/oidc-file.ts";
import { openReplica, replicaPlaces } from "./replicas/replica.ts";
import { readServerSettings } from "./server/server-file.ts";
import { readDatabaseSettings } from "./store/database-file.ts";
import { DatabaseRefused } from "./store/database-refused.ts";
import { openStore } from "./store/open-store.ts";
import { readUpstream } from "./upstream/read-upstream.ts";

/** Another gateway has this state: not a failure for whoever only wants one to run. */
const EXIT_ALREADY_RUNNING = 3;

/** What a supervisor needs of the environment; everything else, secrets among it, stays here. */
const PASSED_ON = ["PATH", "LANG", "LC_ALL", "TZ"];

keepMemoryPrivate();
maskUncaughtErrors();
const { env } = process;
const log = createGatewayLog(writeStandardError, Date.now);
const state = stateDirectory(env);
// The umask of whoever started us must not open the state to others.
process.umask(0o077);
const lock = takeInstanceLock(state);
if (lock === undefined) {
  log.info(`a gateway for ${state} runs already`);
  process.exit(EXIT_ALREADY_RUNNING);
}
// Any other start that fails is an unhandled rejection, which ends the program and says why.
void serve(lock).catch((error: unknown) => {
  if (!(error instanceof DatabaseRefused)) throw error;
  writeStandardError(`${error.message}\n`);
  process.exit(1);
});

async function serve(instanceLock: Disposable): Promise<void> {
  const { metricsPort, engine, isInForeground, ...named } = parseGatewayArguments(process.argv.slice(2), env);
  const database = readOrExit(() => readDatabaseSettings(configDirectory(env)));
  const server = readOrExit(() => readServerSettings(configDirectory(env)));
  const kubernetes = readOrExit(() => clusterFor(engine));
  const traces = readOrExit(() => traceTargetOf(env));
  const address = env["OPENSHELL_REPLICA_ADDRESS"];
  const places = database?.replicas
    ? readOrExit(() => replicaPlaces({ isInForeground, address, port: named.port, server, kubernetes }))
    : undefined;
  const replica = places && (await openReplica(places, log));
  const gateway = await startGateway({
    version: VERSION,
    ...named,
    observation: { ...(metricsPort !== undefined && { metricsPort }), ...(traces && { traces }) },
    configDirectory: configDirectory(env),
    stateDirectory: state,
    runtimeDirectory: runtimeDirectory(env, state),
    supervisorEntry: keepPrograms(join(import.meta.dirname, "supervisor.cjs"), state),
    supervisorEnvironment: Object.fromEntries(
      PASSED_ON.map((name) => [name, env[name] ?? ""]).filter(([, value]) => value !== ""),
    ),
    upstream: readOrExit(() => readUpstream(configDirectory(env), env)),
    openStore: () =>
      openStore({
        stateDirectory: state,
        databaseUrl: database?.url,
        log,
        standby: replica?.standby,
        onTaken: endAtOnce,
      }),
    replicaPorts: replica?.ports,
    ...(database?.secretsKeyPath !== undefined && {
      keyFile: new KeyFile(database.secretsKeyPath, { isGiven: true }),
    }),
    server,
    oidc: readOrExit(() => readOidcSettings(configDirectory(env))),
    exports: readOrExit(() => readExports(configDirectory(env))),
    containerEngine: () => findEngine(engine === "kubernetes" ? undefined : engine, env),
    kubernetes,
    log,
    now: Date.now,
  });
  // Not at its end, when Node would do it: a gateway may be killed.
  flushCompileCache();
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void stop(gateway, instanceLock);
    });
  }
  // Nor is a terminal that goes away.
  process.on("SIGHUP", () => {});
  process.on("SIGPIPE", () => {});
}

/** The cluster, unless an engine of this machine's was asked for. @throws Error if one was asked for and nobody says which */
function clusterFor(driver: DriverName | undefined): KubernetesSettings | undefined {
  if (driver !== undefined && driver !== "kubernetes") return undefined;
  const settings = readKubernetesFile(configDirectory(env));
  if (settings !== undefined || driver === undefined) return settings;
  throw new Error(
    `--driver kubernetes: ${kubernetesFilePath(configDirectory(env))} is missing; see docs/kubernetes.md`,
  );
}

/** What is wrong with the user's own words is told in words, not with the place in our code. */
function readOrExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    writeStandardError(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** What two gateways write would get mixed up. */
function endAtOnce(): never {
  log.info("another gateway uses this database by now: this one ends");
  process.exit(1);
}

async function stop(gateway: Gateway, instanceLock: Disposable): Promise<never> {
  try {
    await gateway.stop();
    instanceLock[Symbol.dispose]();
    process.exit(0);
  } catch (error) {
    log.error("the gateway could not stop in good order", error);
    process.exit(1);
  }
}
