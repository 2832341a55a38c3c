/**
 * Step 1, what an SSH client forwards through the sandbox (`ssh -L`, `-D`): a connection that leaves it, and that no
 * program in there has opened.
 * Takes  the client's stream, and the destination as it spells it.
 * Gives  Intercepted; nobody waits for an answer.
 * Refuses intercept.malformed_destination.
 * Assumes the client to be the sandbox's authenticated user. That gives it no rights: the policy decides.
 */
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type CanonicalHost, canonicalHost } from "../../../net/canonical-host.ts";
import type { EgressContext } from "../context.ts";
import type { DecisionPath } from "../decision-path.ts";
import { printable, refuseConnection } from "../refuse.ts";

type ForwardContext = Pick<EgressContext, "sandboxName" | "audit" | "newId" | "now">;

/** Where to, and, as the client says, where from at its side. */
export interface Forwarded {
  readonly host: string;
  readonly port: number;
  readonly originHost: string;
  readonly originPort: number;
}

/** Stands in the audit event of a destination that could not be read; RFC 6761 keeps the name free. */
const noHost = "unreadable.invalid" as CanonicalHost;

/** Serves the connection to its end. Never rejects. */
export async function serveForwarded(
  stream: Duplex,
  { to, path }: { readonly to: Forwarded; readonly path: DecisionPath },
  context: ForwardContext,
): Promise<void> {
  const { originHost, originPort, port } = to;
  const family = isIP(originHost) === 6 ? 6 : 4;
  const client = {
    family,
    local: { address: isIP(originHost) ? originHost : "127.0.0.1", port: originPort },
    remote: { address: family === 6 ? "::1" : "127.0.0.1", port },
  } as const;
  const asked = printable(`${to.host}:${port}`);
  const base = {
    id: context.newId(),
    listener: "ssh",
    awaiting: "nothing",
    stream,
    client,
    asked,
    startedAt: context.now(),
  } as const;
  const parsed = canonicalHost(to.host);
  if (parsed.ok && port > 0 && port <= 65_535) {
    await path.follow({ ...base, destination: { host: parsed.host, port } });
    return;
  }
  const detail = parsed.ok ? `${port} is no port` : printable(parsed.why);
  const unreadable = { ...base, destination: { host: noHost, port: 0 } };
  await refuseConnection(unreadable, { refused: "intercept.malformed_destination", detail }, context);
}
