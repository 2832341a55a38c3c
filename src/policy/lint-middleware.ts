/**
 * Middlewares that a policy names. None exists as yet: what names one is kept and can be asked about, but nothing is run by
 * it, since a policy that counts on one, say to redact what leaves, must not run without it.
 */
import { parseHostPattern } from "./match/host.ts";
import type { NetworkMiddleware, Policy } from "./policy.ts";
import { formatKey, type KeyPath, type Problem } from "./problem.ts";

/** As the published OpenShell has them: each is a stage that every request to its hosts waits for. */
const mostMiddlewares = 10;
const mostSelectors = 32;

/** What can't be meant, and a warning for each that does not exist. */
export function lintMiddlewares({ networkMiddlewares }: Policy): Problem[] {
  const problems: Problem[] = [];
  if (networkMiddlewares.size > mostMiddlewares) {
    const message = `lists ${networkMiddlewares.size} middlewares; at most ${mostMiddlewares}`;
    problems.push({ severity: "error", key: ["network_middlewares"], message });
  }
  const places = new Map<number, string>();
  for (const [name, middleware] of networkMiddlewares) {
    const key: KeyPath = ["network_middlewares", name];
    problems.push(...lintOrder(middleware.order, { key, other: places.get(middleware.order) }));
    places.set(middleware.order, name);
    problems.push(...lintSelectors(middleware, key));
    const message = `there is no middleware \`${middleware.middleware}\`, so that no sandbox starts with this policy`;
    problems.push({ severity: "warning", key: [...key, "middleware"], message });
  }
  return problems;
}

/** Why nothing may run by the policy, if it names a middleware that does not exist. */
export function missingMiddleware({ networkMiddlewares }: Policy): string | undefined {
  for (const [name, { middleware }] of networkMiddlewares) {
    return `${formatKey(["network_middlewares", name])} wants the middleware \`${middleware}\`, which does not exist`;
  }
  return undefined;
}

/** Middlewares change what the next one sees, so that two in one place would make two policies of one file. */
function lintOrder(order: number, { key, other }: { key: KeyPath; other: string | undefined }): Problem[] {
  if (other === undefined) return [];
  return [
    { severity: "error", key: [...key, "order"], message: `is ${order}, as that of \`${other}\`; give each its own` },
  ];
}

function lintSelectors({ include, exclude }: NetworkMiddleware, key: KeyPath): Problem[] {
  const count = include.length + exclude.length;
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["include", include],
    ["exclude", exclude],
  ];
  const problems: Problem[] = lists.flatMap(([list, patterns]) =>
    patterns.flatMap((pattern, index): Problem[] => {
      const parsed = parseHostPattern(pattern);
      return parsed.ok ? [] : [{ severity: "error", key: [...key, "endpoints", list, index], message: parsed.why }];
    }),
  );
  if (count <= mostSelectors) return problems;
  const message = `lists ${count} hosts; at most ${mostSelectors}`;
  return [...problems, { severity: "error", key: [...key, "endpoints"], message }];
}
