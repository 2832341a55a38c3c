/** Commands in sandboxes: each on a relay of its own, so that it goes on, and loses nothing, when the gateway restarts. */
import { ExecCall } from "../../net/exec-call.ts";
import type { ExecStart } from "./exec-wire.ts";
import type { Gateway } from "./gateway.ts";
import { openRelay, type RelayRequest } from "./relay.ts";

/** Asks for the command; errors, told by the call's events, are those of a relay. */
export function openCommand(
  gateway: Gateway,
  { sandboxId, ...start }: ExecStart,
  options: Pick<RelayRequest, "onConnection"> = {},
): ExecCall {
  return new ExecCall(openRelay(gateway, { sandboxId, target: { kind: "exec", start }, ...options }));
}
