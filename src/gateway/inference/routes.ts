/** Sets, finds and removes routes, and makes of them what supervisors are given. */
import type { RouteOptions, SetInferenceRouteRequest } from "../../gen/openshell/inference/v1/inference_pb.ts";
import { defaultTimeouts, type ModelRoute, type ModelRoutes } from "../../inference/routes.ts";
import type { Vault } from "../../secrets/vault.ts";
import type { Providers } from "../providers/providers.ts";
import { aborted, invalid, notFound } from "../refuse.ts";
import { newResource, type ResourceStore } from "../store/resource-store.ts";
import { workspaceName } from "../workspaces/workspace.ts";
import { type Backend, backendOf } from "./backend.ts";
import { DEFAULT_ROUTE, type RouteBody, type RouteRecord, SYSTEM_ROUTE } from "./route.ts";

export interface RoutesOptions {
  readonly store: ResourceStore<RouteBody>;
  readonly providers: Providers;
  readonly vault: Vault;
  readonly now: () => number;
}

/** More than anybody can keep apart. */
const MAX_ROUTES = 200;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._:/-]{0,126}[A-Za-z0-9])?$/;

/** A route that could be set, and what is behind it. */
export interface CheckedRoute {
  readonly workspace: string;
  readonly name: string;
  readonly body: RouteBody;
  readonly resolved: ModelRoute;
}

export class InferenceRoutes {
  readonly #options: RoutesOptions;
  #revision = 0;

  constructor(options: RoutesOptions) {
    this.#options = options;
  }

  async list(workspace: string): Promise<RouteRecord[]> {
    return this.#options.store.list({ workspace: workspaceName(workspace), limit: MAX_ROUTES, offset: 0 });
  }

  /** By name, or the default route for none; throws NOT_FOUND. */
  async find(workspace: string, name: string): Promise<RouteRecord> {
    const routes = await this.list(workspace);
    const found =
      routes.find((route) => route.name === (name || DEFAULT_ROUTE)) ??
      (name === "" ? routes.find(({ body }) => body.isDefault) : undefined);
    if (found !== undefined) return found;
    throw notFound(name === "" ? "inference route for calls that name none" : `inference route "${name}"`);
  }

  /** A route with its backend, as calls take it. Throws as `check` does, where its provider has changed. */
  async resolved(route: RouteRecord): Promise<ModelRoute> {
    const { providers, vault } = this.#options;
    const provider = await providers.find(route.workspace, route.body.provider);
    return modelRoute(route, backendOf(vault, provider, route.body.model));
  }

  /** Throws for a route that could not work: NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION. */
  async check(request: SetInferenceRouteRequest): Promise<CheckedRoute> {
    const { providers, vault } = this.#options;
    const workspace = workspaceName(request.workspace);
    const name = request.routeName || DEFAULT_ROUTE;
    if (!NAME.test(name)) throw invalid(`"${name}" cannot be a route's name: letters, digits and inner . _ : / -`);
    if (request.modelId === "") throw invalid("`model_id` is missing");
    const backend = backendOf(vault, await providers.find(workspace, request.providerName), request.modelId);
    const others = (await this.list(workspace)).filter((route) => route.name !== name);
    if (others.length >= MAX_ROUTES) throw invalid(`there are ${MAX_ROUTES} routes already`);
    const body = bodyOf(request, { name, others });
    for (const fallback of body.fallbacks) {
      if (fallback === name) throw invalid(`route "${name}" can't be its own fallback`);
      if (!others.some((route) => route.name === fallback)) throw notFound(`inference route "${fallback}"`);
    }
    return { workspace, name, body, resolved: modelRoute({ name, body }, backend) };
  }

  /** Stores a route, in place of one by its name. A new default takes the place of the one before. */
  async put({ workspace, name, body }: CheckedRoute): Promise<RouteRecord> {
    const { store, now } = this.#options;
    if (body.isDefault) {
      for (const other of await this.list(workspace)) {
        if (other.body.isDefault && other.name !== name)
          await this.#replace(other, { ...other.body, isDefault: false });
      }
    }
    const fresh = newResource({ workspace, name, body }, now());
    if (await store.create(fresh)) return fresh;
    const current = await store.get(workspace, name);
    if (current === undefined) throw changed(name);
    return this.#replace(current, body);
  }

  async remove(workspace: string, name: string): Promise<boolean> {
    return this.#options.store.remove(workspaceName(workspace), name || DEFAULT_ROUTE);
  }

  /** All routes with their backends, for a supervisor. One whose provider has become unusable is left out. */
  async resolve(workspace: string, onUnusable: (name: string, error: unknown) => void): Promise<ModelRoutes> {
    const routes: ModelRoute[] = [];
    for (const route of await this.list(workspace)) {
      try {
        routes.push(await this.resolved(route));
      } catch (error) {
        onUnusable(route.name, error);
      }
    }
    // From the clock, so that it grows over a restart too.
    this.#revision = Math.max(this.#revision + 1, Math.floor(this.#options.now() / 1000));
    return { revision: this.#revision, routes, budget: {} };
  }

  async #replace(current: RouteRecord, body: RouteBody): Promise<RouteRecord> {
    const stored = await this.#options.store.update({ ...current, body });
    if (stored === undefined) throw changed(current.name);
    return stored;
  }
}

function bodyOf(
  { providerName, modelId, timeoutSecs, options }: SetInferenceRouteRequest,
  { name, others }: { readonly name: string; readonly others: readonly RouteRecord[] },
): RouteBody {
  const { aliases = [], fallbacks = [] } = options ?? ({} as Partial<RouteOptions>);
  const isSystem = name === SYSTEM_ROUTE;
  // The first route is what everybody means who names none.
  const isFirst = others.every((other) => other.name === SYSTEM_ROUTE || !other.body.isDefault);
  return {
    provider: providerName,
    model: modelId,
    timeoutSecs: Number(timeoutSecs),
    isDefault: !isSystem && (options?.isDefault === true || name === DEFAULT_ROUTE || isFirst),
    aliases,
    fallbacks,
    retries: options?.retries ?? 0,
    connectTimeoutSecs: options?.connectTimeoutSecs ?? 0,
    firstByteTimeoutSecs: options?.firstByteTimeoutSecs ?? 0,
    idleTimeoutSecs: options?.idleTimeoutSecs ?? 0,
    requestsPerMinute: options?.requestsPerMinute ?? 0,
    tokensPerMinute: options?.tokensPerMinute ?? 0,
  };
}

function modelRoute({ name, body }: Pick<RouteRecord, "name" | "body">, backend: Backend): ModelRoute {
  const { typeName: providerType, ...place } = backend;
  const total = body.timeoutSecs * 1000 || defaultTimeouts.total;
  return {
    name,
    aliases: body.aliases,
    isDefault: body.isDefault,
    isSystem: name === SYSTEM_ROUTE,
    providerName: body.provider,
    providerType,
    ...place,
    model: body.model,
    headers: {},
    timeouts: {
      connect: body.connectTimeoutSecs * 1000 || defaultTimeouts.connect,
      // Whoever waits longer for the whole waits longer for its beginning.
      firstByte: body.firstByteTimeoutSecs * 1000 || Math.max(total, defaultTimeouts.firstByte),
      idle: body.idleTimeoutSecs * 1000 || defaultTimeouts.idle,
      total,
    },
    fallbacks: body.fallbacks,
    retries: body.retries,
    budget: {
      ...(body.requestsPerMinute > 0 && { requestsPerMinute: body.requestsPerMinute }),
      ...(body.tokensPerMinute > 0 && { tokensPerMinute: body.tokensPerMinute }),
    },
  };
}

function changed(name: string) {
  return aborted(`inference route "${name}" has changed meanwhile: try again`);
}
