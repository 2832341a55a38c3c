/** An engine that is an ordinary user's may be unable to limit what its containers use, and then drops a limit without a word. */
import type { Limits } from "../driver.ts";

/** What an engine tells of itself, as far as it matters here. */
export interface EngineInfo {
  readonly CgroupVersion?: string;
  readonly CgroupDriver?: string;
  /** Podman's word for it … */
  readonly Rootless?: boolean;
  /** … and Docker's: `name=rootless` among them. */
  readonly SecurityOptions?: readonly string[] | null;
}

/** Why these limits would not be kept; undefined: they will be. */
export function whyNotLimited(
  limits: Limits,
  { name, info }: { readonly name: string; readonly info: EngineInfo },
): string | undefined {
  if (Object.keys(limits).length === 0) return undefined;
  const isRootless = info.Rootless === true || (info.SecurityOptions ?? []).includes("name=rootless");
  if (!isRootless || (info.CgroupVersion === "2" && info.CgroupDriver === "systemd")) return undefined;
  return `a rootless ${name} can't limit processors, memory or processes here: for that it needs control groups of version 2, and systemd to hand them on to its user`;
}
