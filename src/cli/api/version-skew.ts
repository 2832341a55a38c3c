/** A gateway of another version than this program: what is not understood is told with both versions. */
import { VERSION } from "../../version.ts";
import { CommandFailure } from "../command-failure.ts";
import type { Gateway } from "./gateway.ts";
import { health } from "./methods.ts";
import { RpcError } from "./rpc-error.ts";

/** What the two versions are and which to update; undefined where they are the same. */
export function versionSkew(gatewayVersion: string | undefined): string | undefined {
  if (!gatewayVersion || gatewayVersion === VERSION) return undefined;
  const older = isOlder(gatewayVersion, VERSION)
    ? "update the gateway, or start it again if it has been updated"
    : "update this program";
  return `the gateway's version is ${gatewayVersion}, and this program's ${VERSION}: ${older}`;
}

/** The same failure, with the versions as the reason where they may be it. */
export async function withVersionSkew(error: unknown, gateway: Gateway): Promise<unknown> {
  if (!(error instanceof RpcError) || error.code !== "unimplemented") return error;
  const { version } = await gateway.channel.unary(health, {}).catch(() => ({ version: undefined }));
  const hint = versionSkew(version);
  return hint === undefined ? error : new CommandFailure(error.message, { code: error.code, hint, cause: error });
}

/** By the numbers of both; what is behind them (`-rc.1`) does not count. */
function isOlder(one: string, other: string): boolean {
  const [first, second] = [one, other].map((version) => version.split(/[.+-]/, 3).map(Number));
  const at = first?.findIndex((number, index) => number !== second?.[index]) ?? -1;
  return at !== -1 && (first?.[at] ?? 0) < (second?.[at] ?? 0);
}
