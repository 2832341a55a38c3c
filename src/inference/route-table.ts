/**
 * Which route takes a call. A caller names a model; the operator decides what that means: a route by its name, else by
 * the model behind it, else by an alias, else the default. System routes are out of every caller's reach.
 */
import { compileGlob, type TextMatcher } from "../policy/match/glob.ts";
import type { CallBudget, ModelRoute, ModelRoutes } from "./routes.ts";

export interface RouteTable {
  readonly revision: number;
  /** For all calls of the sandbox together. */
  readonly budget: CallBudget;
  /** What a sandbox may ask for by name, in the routes' order: names of routes, and aliases that are no patterns. */
  readonly models: readonly ListedModel[];
  /** The route for what a caller calls the model; undefined if there is none, also no default. */
  choose(asked: string | undefined): ModelRoute | undefined;
  /** The route and those to fall back to, each once. Names that are unknown are passed over. */
  withFallbacks(route: ModelRoute): readonly ModelRoute[];
}

export interface ListedModel {
  readonly id: string;
  readonly route: ModelRoute;
}

/** Routes that one call tries at most: each costs its timeouts while the caller waits. */
const maxFallbacks = 4;

const wildcard = /[*?[]/;

export function compileRoutes({ revision, routes, budget }: ModelRoutes): RouteTable {
  const callable = routes.filter(({ isSystem }) => !isSystem);
  const byName = new Map(callable.map((route) => [route.name, route]));
  const matchers = callable.flatMap((route) => route.aliases.map((alias) => ({ route, matches: aliasMatcher(alias) })));
  return {
    revision,
    budget,
    models: listedModels(callable),
    choose: (asked) =>
      (asked === undefined
        ? undefined
        : (byName.get(asked) ??
          callable.find(({ model }) => model === asked) ??
          matchers.find(({ matches }) => matches(asked))?.route)) ?? callable.find(({ isDefault }) => isDefault),
    withFallbacks: (route) => {
      const others = route.fallbacks.flatMap((name) => byName.get(name) ?? []).slice(0, maxFallbacks);
      return [...new Set([route, ...others])];
    },
  };
}

/** Model names hold slashes and colons that mean nothing, so a star crosses everything. */
function aliasMatcher(alias: string): TextMatcher {
  return compileGlob(alias, { classes: true });
}

function listedModels(routes: readonly ModelRoute[]): readonly ListedModel[] {
  const listed = new Map<string, ModelRoute>();
  for (const route of routes) {
    const names = [route.name, ...route.aliases.filter((alias) => !wildcard.test(alias))];
    for (const id of names) if (!listed.has(id)) listed.set(id, route);
  }
  return [...listed].map(([id, route]) => ({ id, route }));
}
