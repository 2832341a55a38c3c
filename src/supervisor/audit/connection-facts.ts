/**
 * What a connection's record says, in the objects of OCSF. Works on the record of any step: what the step had not found
 * out yet is left out.
 */
import { type ConnectionInfo, connectionInfo } from "../../ocsf/objects/connection-info.ts";
import { type Endpoint, endpoint } from "../../ocsf/objects/endpoint.ts";
import { type Process, process } from "../../ocsf/objects/process.ts";
import { redactCommandLine } from "../../secrets/redact.ts";
import type { Holder, SocketPair } from "../egress/connection.ts";
import type { AuditedConnection, CallingProgram } from "./audited.ts";

/** Ancestors that are logged: an agent can nest processes by the thousand, and each would make every event longer. */
const shownAncestors = 16;

/** Holders of the same socket that are logged besides the first, for the same reason. */
const shownHolders = 16;

/** Addresses of a name that are logged: whoever answers for the name says how many there are. */
const shownAddresses = 16;

/** Characters of a path, or of a name that somebody inside the sandbox has chosen, that are logged. */
const shownText = 512;

/** Objects that the events of a connection and of its requests share. */
export interface ConnectionFacts {
  readonly process?: Process;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly connection: ConnectionInfo;
  readonly unmapped: Readonly<Record<string, unknown>>;
}

/** Records do not change, and a kept connection has thousands of requests. */
const known = new WeakMap<AuditedConnection, ConnectionFacts>();

/** `dialled` is the address that was connected to, if any was: a proxy's where one was taken. */
export function connectionFacts(record: AuditedConnection, dialled?: string): ConnectionFacts {
  if (dialled !== undefined) return gatherFacts(record, dialled);
  const facts = known.get(record) ?? gatherFacts(record);
  known.set(record, facts);
  return facts;
}

function gatherFacts(record: AuditedConnection, dialled?: string): ConnectionFacts {
  const [first, ...others] = "holders" in record ? record.holders : [];
  const { host, port } = record.destination;
  const via = "via" in record ? record.via : undefined;
  return {
    ...(first && { process: holderProcess(first) }),
    ...socketFacts(record.client),
    destination: endpoint(host, port, via === undefined ? dialled : undefined),
    connection: connectionInfo("tcp", record.client.family, record.id),
    unmapped: {
      listener: record.listener,
      // Only worth a mention where it is another spelling of the same.
      ...(record.asked !== host && { asked: cut(record.asked) }),
      ...(first?.script !== undefined && { script: cut(first.script) }),
      ...(others.length > 0 && { other_holders: others.slice(0, shownHolders).map(briefHolder) }),
      ...("addresses" in record && { addresses: record.addresses.slice(0, shownAddresses).map(({ text }) => text) }),
      ...(via !== undefined && { upstream_proxy: `${via.host}:${via.port}` }),
      ...("sni" in record && record.sni !== undefined && { sni: cut(record.sni) }),
    },
  };
}

/** The client's end of a connection or datagram. */
export function socketFacts(client: SocketPair): { readonly source: Endpoint } {
  return { source: endpoint(client.local.address, client.local.port) };
}

/** A holder, or another program that was looked at, as the process that acted. */
export function holderProcess({ pid, path, sha256, commandLine, ancestors = [] }: Holder | CallingProgram): Process {
  return process({
    pid,
    path: cut(path),
    ...(sha256 !== undefined && { sha256 }),
    ...(commandLine !== undefined && { commandLine: redactCommandLine(commandLine) }),
    ancestors: ancestors.slice(0, shownAncestors).map(({ pid, path }) => ({ pid, path: cut(path) })),
  });
}

function briefHolder({ pid, path, sha256 }: Holder): {
  readonly pid: number;
  readonly path: string;
  readonly sha256?: string;
} {
  return { pid, path: cut(path), ...(sha256 !== undefined && { sha256 }) };
}

function cut(text: string): string {
  return text.length <= shownText ? text : `${text.slice(0, shownText)}…`;
}
