import type { Vault } from "../secrets/vault.ts";
import type { UpstreamSettings } from "../supervisor/launch-spec.ts";
import type { CallRecorder } from "./audit/record-calls.ts";
import type { ComputeDriver } from "./drivers/driver.ts";
import type { Exports } from "./export/exports.ts";
import type { ExposedServices } from "./exposed/exposed-services.ts";
import type { ServicePort } from "./exposed/service-port.ts";
import type { GatewayLog } from "./gateway-log.ts";
import type { Observer } from "./health/observer.ts";
import type { Readiness } from "./health/readiness.ts";
import type { InferenceRoutes } from "./inference/routes.ts";
import type { UserTokens } from "./oidc/user-tokens.ts";
import type { GatewayPolicy } from "./policies/gateway-policy.ts";
import type { Providers } from "./providers/providers.ts";
import type { SandboxChanges } from "./sandboxes/changes.ts";
import type { OneAtATime } from "./sandboxes/one-at-a-time.ts";
import type { SandboxRegistry } from "./sandboxes/registry.ts";
import type { Revivals } from "./sandboxes/revivals.ts";
import type { Settings } from "./settings/settings.ts";
import type { SshSessions } from "./ssh/ssh-sessions.ts";
import type { SandboxRecord, Store } from "./store/store.ts";
import type { SupervisorSessions } from "./supervisors/sessions.ts";
import type { WaitingSupervisors } from "./supervisors/waiting-supervisors.ts";
import type { Workspaces } from "./workspaces/workspaces.ts";

/** What the parts of a gateway share; made once in gateway.ts. */
export interface GatewayContext {
  readonly version: string;
  readonly store: Store;
  readonly driver: ComputeDriver;
  readonly registry: SandboxRegistry;
  readonly changes: SandboxChanges;
  readonly sessions: SupervisorSessions;
  /** Those that wait for orders in pods. */
  readonly waiting: WaitingSupervisors;
  readonly providers: Providers;
  readonly routes: InferenceRoutes;
  readonly sshSessions: SshSessions;
  readonly workspaces: Workspaces;
  /** Absent where only certificates are taken. */
  readonly userTokens: UserTokens | undefined;
  readonly settings: Settings;
  readonly gatewayPolicy: GatewayPolicy;
  readonly exposedServices: ExposedServices;
  readonly servicePort: ServicePort;
  readonly exports: Exports;
  /** What puts users' calls on record. */
  readonly calls: CallRecorder;
  /** What secrets are sealed with. */
  readonly vault: Vault;
  readonly log: GatewayLog;
  readonly readiness: Readiness;
  /** Metrics and traces, as far as they were asked for. */
  readonly observers: readonly Observer[];
  /** State, configuration and sockets of this gateway: no sandbox may be shown them. */
  readonly privateDirectories: readonly string[];
  /** How sandboxes' connections leave this machine. */
  readonly upstream: UpstreamSettings;
  /** What a sandbox is made from that asks for no image. */
  readonly sandboxImage: string | undefined;
  /** Where clients reach this gateway, and sandboxes must not. */
  readonly apiPort: () => number;
  /** The instances that this process has started, whose end it will be told of. */
  readonly ownInstances: Set<string>;
  /** The starts that are under way, by sandbox. */
  readonly starting: Map<string, Promise<SandboxRecord>>;
  readonly runs: OneAtATime;
  readonly revivals: Revivals;
  /** By sandbox: what is done with its files just now, during which it must not start. */
  readonly fileWork: Map<string, string>;
  /** Aborted when the gateway stops. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
