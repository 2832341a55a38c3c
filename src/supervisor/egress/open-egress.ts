/** Opens a sandbox's doors: binds the steps to their world, and the listeners to the steps. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { ModelRoutes } from "../../inference/routes.ts";
import { numberInside } from "../../linux/process-stat.ts";
import type { CompiledPolicy } from "../../policy/verdict.ts";
import { printError } from "../../secrets/printed-error.ts";
import type { LaunchSpec } from "../launch-spec.ts";
import { FileChanges } from "../refused-calls/file-changes.ts";
import { watchRefusedCalls } from "../refused-calls/watch-refused-calls.ts";
import type { ListenerDescriptors } from "../sandbox/listener-descriptors.ts";
import type { BuiltSandbox } from "../sandbox/prepared-sandbox.ts";
import { acceptClients } from "./01-intercept/accept-clients.ts";
import { serveProxyClient } from "./01-intercept/explicit-proxy.ts";
import { type Forwarded, serveForwarded } from "./01-intercept/forwarded.ts";
import { PolicyDns } from "./01-intercept/policy-dns.ts";
import { watchRefusedDatagrams } from "./01-intercept/refused-datagrams.ts";
import { SyntheticAddresses } from "./01-intercept/synthetic-addresses.ts";
import { serveCapturedClient } from "./01-intercept/transparent.ts";
import { createIdentifyContext, describeHolder, type IdentifyContext, identify } from "./02-identify/identify.ts";
import { datagramSocketInode } from "./02-identify/socket-inode.ts";
import type { InferenceOptions } from "./03-inference/open-inference.ts";
import { machineAddresses } from "./05-guard/forbid-internal.ts";
import { guard } from "./05-guard/guard.ts";
import { systemResolver } from "./05-guard/resolve.ts";
import { UpstreamProxies } from "./05-guard/upstream-proxies.ts";
import type { SandboxAuthority } from "./07-terminate/certificate-authority.ts";
import { terminate } from "./07-terminate/terminate.ts";
import type { UpstreamTrust } from "./07-terminate/trust-bundle.ts";
import type { Credentials } from "./09-credential/credentials.ts";
import { maxClients } from "./10-forward/limits.ts";
import type { Audit } from "./11-audit.ts";
import { type Holder, isRefusal } from "./connection.ts";
import type { EgressContext } from "./context.ts";
import { createDecisionPath } from "./decision-path.ts";

export interface EgressOptions {
  readonly spec: LaunchSpec;
  readonly built: BuiltSandbox;
  readonly audit: Audit;
  readonly authority: SandboxAuthority;
  readonly trust: UpstreamTrust;
  /** The policy in force now. */
  readonly policy: () => CompiledPolicy;
  /** The credentials in force now. */
  readonly credentials: () => Credentials;
  /** The routes to models that are in force now. */
  readonly modelRoutes: () => ModelRoutes;
}

export interface Egress {
  /** To be called when another policy has come into force. */
  recheck(): void;
  /** Takes a connection that an SSH client forwards along the decision path, to its end. */
  forward(stream: Duplex, to: Forwarded): Promise<void>;
  /** Closes the doors and breaks every connection off. Settles when no process is left that belongs to them. */
  close(): Promise<void>;
}

/** Opens the doors. */
export async function openEgress(options: EgressOptions): Promise<Egress> {
  const { spec, built, audit, authority, trust } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const identifyContext = await createIdentifyContext({
    procfs: `/proc/${built.initPid}/root/proc`,
    initPid: numberInside(built.initPid),
    sockDiag: built.listeners.diagnostics,
    firstUseFile: join(spec.directories.state, "first-use.jsonl"),
  });
  const guardContext = {
    resolver: systemResolver(),
    own: { ports: [spec.gateway.port], addresses: machineAddresses },
    proxies: new UpstreamProxies(spec.upstream),
  };
  const context: EgressContext = {
    sandboxName: spec.sandboxName,
    policy: options.policy,
    credentials: options.credentials,
    audit,
    newId: randomUUID,
    now: Date.now,
    signal,
    onDefect: printError,
    steps: {
      identify: (connection) => identify(connection, identifyContext),
      infer: lazyInference({ ...options, ...guardContext, onDefect: printError, signal }),
      guard: (connection) => guard(connection, guardContext),
      terminate: (connection) => terminate(connection, { authority, trust, signal }),
    },
  };
  const path = createDecisionPath(context);
  const names = new SyntheticAddresses();
  const { proxy, transparent } = built.listeners;
  const doors = { limit: maxClients, signal, onTurnedAway: (count: number) => recordTurnedAway(count, audit) };
  for (const { fd } of proxy) {
    acceptClients(fd, { ...doors, onClient: (socket) => void serveProxyClient(socket, path, context) });
  }
  for (const { fd } of transparent) {
    const capture = { ...context, names };
    acceptClients(fd, { ...doors, onClient: (socket) => void serveCapturedClient(socket, path, capture) });
  }
  await answerNames({ names, listeners: built.listeners, hostname: spec.sandboxName, audit, signal });
  // Nobody in a container may ask for the trace: UDP is refused there all the same, by the kernel.
  const { chainPid } = built;
  const watch =
    chainPid !== undefined &&
    watchRefusedDatagrams({
      chainPid,
      audit,
      holdersOf: ({ local }) => datagramHolders(local.port, identifyContext),
      now: () => performance.now(),
      signal,
    });
  const { calls: listener } = built.listeners;
  // In a container this process is seen by the sandbox's, under the number that it has for itself.
  const guardPids = [identifyContext.initPid, ...(chainPid === undefined ? [process.pid] : [])];
  const calls =
    listener === undefined
      ? undefined
      : watchRefusedCalls({
          listener,
          guardPids,
          identify: identifyContext,
          audit,
          files: new FileChanges(`/proc/${built.initPid}/root`, built.rules),
          now: Date.now,
        });
  return {
    recheck: path.recheck,
    forward: (stream, to) => serveForwarded(stream, { to, path }, context),
    close: async () => {
      closing.abort();
      await calls?.[Symbol.asyncDispose]();
      await watch;
      await identifyContext[Symbol.asyncDispose]();
    },
  };
}

function recordTurnedAway(count: number, audit: Audit): void {
  audit.finding({
    kind: "intercept.busy",
    title: "Programs hold more connections open than a sandbox may",
    description: `${count} connections were closed unheard, since ${maxClients} others are open at the same door`,
    severity: "medium",
  });
}

/** What asks models is loaded when one is asked: it would be a tenth of every supervisor's code. */
function lazyInference(options: InferenceOptions): EgressContext["steps"]["infer"] {
  let opened: Promise<EgressContext["steps"]["infer"]> | undefined;
  return async (connection, live) => {
    opened ??= import("./03-inference/open-inference.ts").then(({ openInference }) => openInference(options));
    return (await opened)(connection, live);
  };
}

interface NameService {
  readonly names: SyntheticAddresses;
  readonly listeners: ListenerDescriptors;
  readonly hostname: string;
  readonly audit: Audit;
  readonly signal: AbortSignal;
}

async function answerNames({ names, listeners, hostname, audit, signal }: NameService): Promise<void> {
  const ipv6 = listeners.transparent.some(({ family }) => family === 6);
  const dns = new PolicyDns({
    names: { synthetic: names, hostname, ipv6 },
    onQuestion: (question, { address }) => {
      if (question.rcode === "NOERROR") return audit.dnsAnswered(question, address);
      const detail = `${question.rcode} for ${question.type} ${question.name}`;
      audit.dnsRefused(question, { refused: "intercept.malformed_destination", detail });
    },
  });
  signal.addEventListener("abort", () => dns[Symbol.dispose](), { once: true });
  await Promise.all([
    ...listeners.dnsUdp.map(({ fd, family }) => dns.serveUdp(fd, family)),
    ...listeners.dnsTcp.map(({ fd }) => dns.serveTcp(fd)),
  ]);
}

/** Who holds the UDP socket with this port. For the record only, so that what can't be found is left out. */
async function datagramHolders(port: number, context: IdentifyContext): Promise<Holder[]> {
  const inode = datagramSocketInode(port, `${context.proc.path}/${context.initPid}/net`);
  if (inode === undefined) return [];
  const found = await Promise.all(context.finder.find(inode).pids.map((pid) => describeHolder(pid, context)));
  return found.filter((holder): holder is Holder => holder !== undefined && !isRefusal(holder));
}
