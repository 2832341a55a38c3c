import type { Interceptor } from "@connectrpc/connect";
import type { GatewayLog } from "../gateway-log.ts";
import type { UserTokens } from "../oidc/user-tokens.ts";
import { unauthenticated } from "../refuse.ts";
import { callerKey } from "./caller.ts";

/** Finds out whose an identity provider's token is. `tokens` is undefined where none are taken. */
export function authenticate(tokens: UserTokens | undefined, log: GatewayLog): Interceptor {
  return (next) => async (request) => {
    const caller = request.contextValues.get(callerKey);
    if (caller.kind !== "bearer") return next(request);
    if (tokens === undefined) throw unauthenticated("this gateway takes no tokens of users: it has no oidc.yaml");
    try {
      request.contextValues.set(callerKey, await tokens.verify(caller.token));
    } catch (error) {
      log.info(`${request.method.name} refused: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
    return next(request);
  };
}
