/** Where Node keeps our programs as it has compiled them. */
import type { Environment } from "./environment.ts";

/**
 * A directory of the user's; undefined where there is no place for one. Not Node's default below /tmp: whoever makes that
 * directory first decides what code these programs run.
 */
export function compileCacheDirectory(environment: Environment): string | undefined {
  const base = environment["XDG_CACHE_HOME"] || (environment["HOME"] && `${environment["HOME"]}/.cache`);
  return base?.startsWith("/") ? `${base}/openshell/compile` : undefined;
}
