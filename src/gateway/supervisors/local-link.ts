/** The way in for supervisors on this machine: a Unix socket. */
import { createServer, type Server } from "node:net";
import type { GatewayContext } from "../context.ts";
import { takeSupervisor } from "./take-supervisor.ts";

/** A server for supervisors; the caller listens. */
export function createLocalLink(context: GatewayContext): Server {
  return createServer({ allowHalfOpen: true }, (socket) => takeSupervisor(context, socket));
}
