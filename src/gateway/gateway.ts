/** Puts a gateway together, in the order in which its parts need each other, and takes it apart again. */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import type { Http2SecureServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { processStartTime } from "../linux/process-stat.ts";
import {
  readActiveGateway,
  readGatewayEntry,
  writeActiveGateway,
  writeGatewayEntry,
  writeMtlsBundle,
} from "../locations/gateway-entry.ts";
import { forgetRunningGateway, writeRunningGateway } from "../locations/running-gateway.ts";
import { apiSocketPath, supervisorSocketPath } from "../locations/runtime-directory.ts";
import { KeyFile } from "../secrets/key-file.ts";
import { Vault } from "../secrets/vault.ts";
import { StoredCalls } from "./audit/call-recorder.ts";
import { authorityInFiles, authorityInStore } from "./certificates/authority-place.ts";
import { type GatewayCertificates, loadCertificates } from "./certificates/gateway-certificates.ts";
import type { GatewayContext } from "./context.ts";
import { createDriver, type DriverOptions, privateDirectories } from "./drivers/create-driver.ts";
import { Exports } from "./export/exports.ts";
import type { ExportSettings } from "./export/exports-file.ts";
import { ExposedServices } from "./exposed/exposed-services.ts";
import { createServiceServer } from "./exposed/serve-services.ts";
import { ServicePort } from "./exposed/service-port.ts";
import { createObservation, type Observation, type ObservationOptions } from "./health/observation.ts";
import { createReadiness } from "./health/readiness.ts";
import { InferenceRoutes } from "./inference/routes.ts";
import type { OidcSettings } from "./oidc/oidc-file.ts";
import { createUserTokens } from "./oidc/user-tokens.ts";
import { GatewayPolicy } from "./policies/gateway-policy.ts";
import { Profiles } from "./providers/profiles.ts";
import { Providers } from "./providers/providers.ts";
import { startRefreshing } from "./providers/refresh/refresher.ts";
import type { ReplicaPorts } from "./replicas/replica.ts";
import { SandboxChanges } from "./sandboxes/changes.ts";
import { startLogRetention } from "./sandboxes/log-retention.ts";
import { OneAtATime } from "./sandboxes/one-at-a-time.ts";
import { reconcile } from "./sandboxes/reconcile.ts";
import { SandboxRegistry } from "./sandboxes/registry.ts";
import { Revivals } from "./sandboxes/revivals.ts";
import { revive } from "./sandboxes/revive.ts";
import { closable } from "./server/closable.ts";
import {
  createApiServer,
  createApiStreamCalls,
  createOwnApiServer,
  LOOPBACK,
  listening,
  listenOnPort,
} from "./server/listen.ts";
import type { ServerSettings } from "./server/server-file.ts";
import { Settings } from "./settings/settings.ts";
import { SshSessions } from "./ssh/ssh-sessions.ts";
import type { Store } from "./store/store.ts";
import { createLocalLink } from "./supervisors/local-link.ts";
import { createRemoteLink } from "./supervisors/remote-link.ts";
import { SupervisorSessions } from "./supervisors/sessions.ts";
import { WaitingSupervisors } from "./supervisors/waiting-supervisors.ts";
import { Workspaces } from "./workspaces/workspaces.ts";

export interface GatewayOptions extends DriverOptions {
  /** The name of its entry among the user's gateways. */
  readonly name: string;
  /** Absent: the usual one, or a free one where that is taken. */
  readonly port?: number;
  /** For a replica: once it leads. */
  readonly openStore: () => Promise<Store>;
  /** Where connections come from that this gateway need not listen for itself. */
  readonly replicaPorts?: ReplicaPorts | undefined;
  /** What the store's secrets are sealed with; absent: a file in the state directory. */
  readonly keyFile?: KeyFile;
  readonly observation: ObservationOptions;
  /** Where audit events go besides this gateway. */
  readonly exports: readonly ExportSettings[];
  /** Where the API listens, and as whom. */
  readonly server: ServerSettings;
  /** Whose tokens are taken besides this gateway's own certificates. */
  readonly oidc: OidcSettings | undefined;
  readonly now: () => number;
}

export interface Gateway {
  readonly endpoint: string;
  /** Refuses new work, ends the streams, flushes; sandboxes go on. */
  stop(): Promise<void>;
}

/** Starts a gateway; it answers, and has looked after its known sandboxes, when the promise is kept. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const stopping = new AbortController();
  const store = await options.openStore();
  let port = 0;
  const sessions = new SupervisorSessions();
  const readiness = createReadiness(store, stopping.signal);
  const observation = await createObservation(options.observation, { ...options, store, sessions, readiness });
  const { observers } = observation;
  const given = { signal: stopping.signal, apiPort: () => port, sessions, readiness, observers };
  const vault = await Vault.open(options.keyFile ?? ownKeyFile(options), store.wrappedKey);
  const user = userName();
  const certificates = await certificatesOf(options, { store, vault, user });
  const context = createContext(options, store, { ...given, vault, certificates });
  await listenForProbes(observation, options);
  const link = createLocalLink(context);
  const closeLink = closable(link);
  await listenForSupervisors(link, supervisorSocketPath(options.runtimeDirectory));
  const closeRemoteLink = await openRemoteLink(context, certificates, options);
  const streamCalls = createApiStreamCalls(context);
  const ownServer = createOwnApiServer(streamCalls, user);
  const server = createApiServer(context, { certificates, settings: options.server, streamCalls });
  const closeServers = [closable(server), closable(ownServer)];
  await context.exports.start();
  await reconcile(context);
  readiness.reconciled();
  startRefreshing(context);
  startLogRetention(context);
  port = await openApi(server, options);
  await listenForOwnPrograms(ownServer, apiSocketPath(options.runtimeDirectory));
  if ((await context.exposedServices.list()).length > 0) await context.servicePort.open();
  const endpoint = `https://127.0.0.1:${port}`;
  publish(options, { endpoint, port, certificates });
  options.log.info(`gateway ${options.version} listens on ${endpoint}`);
  return {
    endpoint,
    async stop() {
      options.log.info("gateway stops");
      forgetRunningGateway(options.stateDirectory);
      stopping.abort();
      sessions.closeAll();
      await Promise.all([
        ...closeServers.map((close) => close()),
        options.replicaPorts?.api.close(),
        options.replicaPorts?.supervisors.close(),
        context.servicePort.close(),
        closeLink(),
        closeRemoteLink(),
        context.driver.close(),
      ]);
      await context.exports.stop();
      await store.close();
      observation.server?.closeAllConnections();
      observation.server?.close();
      await observation.close();
    },
  };
}

function ownKeyFile({ stateDirectory }: GatewayOptions): KeyFile {
  return new KeyFile(join(stateDirectory, "secrets.key"));
}

async function certificatesOf(
  { stateDirectory, server, now }: GatewayOptions,
  { store, vault, user }: { readonly store: Store; readonly vault: Vault; readonly user: string },
): Promise<GatewayCertificates> {
  const directory = join(stateDirectory, "certificates");
  const authority = store.isShared
    ? authorityInStore(store.resources("authority"), vault, now)
    : authorityInFiles(directory);
  return await loadCertificates({ authority, directory }, { now: new Date(now()), user, names: server.names });
}

/** Before the sandboxes are looked after, so that a probe can see that they are not yet. */
async function listenForProbes({ server }: Observation, { observation, log }: GatewayOptions): Promise<void> {
  if (server === undefined) return;
  await listening(server, () => server.listen(observation.metricsPort, LOOPBACK));
  const { port } = server.address() as AddressInfo;
  log.info(`metrics on http://${LOOPBACK}:${port}/metrics`);
}

function createContext(
  options: GatewayOptions,
  store: Store,
  {
    certificates,
    ...given
  }: Pick<GatewayContext, "signal" | "apiPort" | "sessions" | "readiness" | "observers" | "vault"> & {
    readonly certificates: GatewayCertificates;
  },
): GatewayContext {
  const changes = new SandboxChanges();
  const waiting = new WaitingSupervisors();
  const driver = createDriver(options, { waiting, authority: certificates.authority });
  const { now } = options;
  const { vault } = given;
  const settings = new Settings(store.resources("settings"), now);
  const profiles = new Profiles(store.resources("provider_profile"), now);
  const providers = new Providers({ store: store.resources("provider"), profiles, vault, now });
  const registry = new SandboxRegistry(store, changes);
  const exports = new Exports({ ...options, outbox: store.outbox, settings });
  const calls = new StoredCalls({ ...options, store, exports, changes, registry }, options.name);
  given.signal.addEventListener("abort", () => calls.flush(), { once: true });
  const context: GatewayContext = {
    version: options.version,
    store,
    driver,
    waiting,
    providers,
    calls,
    routes: new InferenceRoutes({ store: store.resources("inference_route"), providers, vault, now }),
    sshSessions: new SshSessions(store.sshSessions, now),
    userTokens: options.oidc && createUserTokens(options.oidc, now),
    workspaces: new Workspaces({
      workspaces: store.resources("workspace"),
      members: store.resources("workspace_member"),
      now,
    }),
    settings,
    gatewayPolicy: new GatewayPolicy(store.resources("gateway_policy"), now),
    exposedServices: new ExposedServices(store.resources("service"), now),
    servicePort: new ServicePort(
      () => createServiceServer(context),
      () => given.apiPort() + 1,
    ),
    exports,
    changes,
    registry,
    log: options.log,
    privateDirectories: privateDirectories(options),
    upstream: options.upstream.settings,
    sandboxImage: options.sandboxImage,
    ownInstances: new Set(),
    starting: new Map(),
    runs: new OneAtATime(),
    fileWork: new Map(),
    revivals: new Revivals((sandboxId) => revive(context, sandboxId)),
    now,
    ...given,
  };
  return context;
}

/** Nobody else may even connect; the umask makes it so from the start. */
async function listenForOwnPrograms(server: Server, socketPath: string): Promise<void> {
  rmSync(socketPath, { force: true });
  await listening(server, () => server.listen(socketPath));
  chmodSync(socketPath, 0o600);
}

/** Who may connect is decided by the directory above, which is its owner's alone; sandboxes' uids come by a bind mount. */
async function listenForSupervisors(link: Server, socketPath: string): Promise<void> {
  mkdirSync(dirname(socketPath), { recursive: true });
  chmodSync(dirname(socketPath), 0o711);
  // Left by a gateway that was killed; the instance lock says that it is nobody's.
  rmSync(socketPath, { force: true });
  await listening(link, () => link.listen(socketPath));
  chmodSync(socketPath, 0o666);
}

/** For the client certificate's subject. A uid without an entry in the password database has no name (containers). */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.geteuid?.()}`;
  }
}

/** Gives the API's port. */
async function openApi(server: Http2SecureServer, { port, server: settings, replicaPorts }: GatewayOptions) {
  return replicaPorts ? replicaPorts.api.serve(server) : await listenOnPort(server, port, settings);
}

/** Where supervisors come from that are on other machines, if there are any. */
async function openRemoteLink(
  context: GatewayContext,
  certificates: GatewayCertificates,
  { kubernetes: settings, replicaPorts }: GatewayOptions,
): Promise<() => Promise<void>> {
  if (settings === undefined) return async () => {};
  const link = createRemoteLink(context, certificates);
  if (replicaPorts) replicaPorts.supervisors.serve(link);
  else await listening(link, () => link.listen(settings.listen));
  return closable(link);
}

/** Tells the machine where the gateway is. The first gateway of a user becomes the active one. */
function publish(
  { configDirectory, stateDirectory, runtimeDirectory, name, version }: GatewayOptions,
  { endpoint, port, certificates }: { endpoint: string; port: number; certificates: GatewayCertificates },
): void {
  writeMtlsBundle(configDirectory, name, {
    ca: certificates.authority,
    certificate: certificates.clientCertificate,
    key: certificates.clientKey,
  });
  writeGatewayEntry(configDirectory, {
    ...readGatewayEntry(configDirectory, name),
    name,
    gateway_endpoint: endpoint,
    is_remote: false,
    gateway_port: port,
    auth_mode: "mtls",
  });
  if (readActiveGateway(configDirectory) === undefined) writeActiveGateway(configDirectory, name);
  const { pid } = process;
  const startTime = processStartTime(pid) ?? "";
  writeRunningGateway(stateDirectory, { pid, startTime, endpoint, socket: apiSocketPath(runtimeDirectory), version });
}
