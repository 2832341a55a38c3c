/** Binds calls to models to their world: routes in force, connections, budgets. */
import { randomUUID } from "node:crypto";
import { compileRoutes, type RouteTable } from "../../../inference/route-table.ts";
import type { ModelRoutes } from "../../../inference/routes.ts";
import type { LaunchSpec } from "../../launch-spec.ts";
import type { Resolver } from "../05-guard/resolve.ts";
import type { UpstreamProxies } from "../05-guard/upstream-proxies.ts";
import type { SandboxAuthority } from "../07-terminate/certificate-authority.ts";
import type { UpstreamTrust } from "../07-terminate/trust-bundle.ts";
import type { Audit } from "../11-audit.ts";
import type { WorldlySteps } from "../context.ts";
import { BackendPool } from "./backend-pool.ts";
import { Budgets } from "./budgets.ts";
import { HeldBodies } from "./call-bytes.ts";
import type { InferenceContext } from "./context.ts";
import { serveInference } from "./inference.ts";
import { RouteEchoes } from "./mask-echoes.ts";

export interface InferenceOptions {
  readonly spec: Pick<LaunchSpec, "sandboxName">;
  readonly audit: Audit;
  readonly authority: SandboxAuthority;
  readonly trust: UpstreamTrust;
  readonly resolver: Resolver;
  readonly proxies: UpstreamProxies;
  /** The routes that are in force now. */
  readonly modelRoutes: () => ModelRoutes;
  /** Told of exceptions, which are defects; the request has been broken off. */
  readonly onDefect: (error: unknown) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

export function openInference(options: InferenceOptions): WorldlySteps["infer"] {
  const budgets = new Budgets(() => performance.now());
  const pool = new BackendPool(options);
  options.signal.addEventListener("abort", () => pool.close(), { once: true });
  const context: InferenceContext = {
    sandboxName: options.spec.sandboxName,
    audit: options.audit,
    authority: options.authority,
    newId: randomUUID,
    now: Date.now,
    onDefect: options.onDefect,
    routes: routesInForce(options.modelRoutes, budgets),
    pool,
    budgets,
    held: new HeldBodies(),
    echoes: new RouteEchoes(),
  };
  return (connection, live) => serveInference(connection, context, live);
}

/** Compiles the routes when they have changed. */
function routesInForce(modelRoutes: () => ModelRoutes, budgets: Budgets): () => RouteTable {
  let compiled: { readonly from: ModelRoutes; readonly table: RouteTable } | undefined;
  return () => {
    const from = modelRoutes();
    if (compiled?.from !== from) {
      compiled = { from, table: compileRoutes(from) };
      budgets.keepOnly(new Set(from.routes.map(({ name }) => name)));
    }
    return compiled.table;
  };
}
