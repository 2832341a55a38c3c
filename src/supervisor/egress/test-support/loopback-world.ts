/**
 * What the tests of the decision path stand on: real sockets on loopback, an audit that remembers, a policy made of two
 * functions, and steps that look at nothing. Every connection is from /usr/bin/test and every name is 127.0.0.1.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import type { Endpoint } from "../../../policy/policy.ts";
import type { CompiledPolicy, ConnectVerdict, RequestFacts, RequestVerdict } from "../../../policy/verdict.ts";
import { serveProxyClient } from "../01-intercept/explicit-proxy.ts";
import { noCredentials } from "../09-credential/credentials.ts";
import type { Audit, CallOutcome, RequestOutcome } from "../11-audit.ts";
import type { Guarded, Identified, Intercepted, Refusal } from "../connection.ts";
import type { EgressContext } from "../context.ts";
import { createDecisionPath, type DecisionPath } from "../decision-path.ts";

/** An audit that only remembers, in words such as `request refused inspect.no_rule`. */
export class RememberingAudit {
  readonly healthy = true;
  readonly events: string[] = [];
  /** Of the calls to models that were completed. */
  readonly callOutcomes: CallOutcome[] = [];
  readonly outcomes: RequestOutcome[] = [];

  readonly connectionRefused: Audit["connectionRefused"] = (_, { refused }) =>
    this.#note("connection refused", refused);
  readonly connectionAllowed: Audit["connectionAllowed"] = ({ destination }) =>
    this.#note("connection allowed", destination.host);
  readonly connectionClosed: Audit["connectionClosed"] = () => this.#note("connection closed");
  readonly clientRejected: Audit["clientRejected"] = () => this.#note("client rejected");
  readonly requestAllowed: Audit["requestAllowed"] = (_, { facts }, verdict) =>
    this.#note(`request ${verdict.kind === "allow" ? "allowed" : "logged only"}`, facts?.path ?? "");
  readonly requestCompleted: Audit["requestCompleted"] = (_, _request, outcome) => {
    this.outcomes.push(outcome);
    this.#note("request completed", `${outcome.status}`);
  };
  readonly requestRefused: Audit["requestRefused"] = (_, _request, { refused }) =>
    this.#note("request refused", refused);
  readonly callAllowed: Audit["callAllowed"] = (_, { operation }) => this.#note("call allowed", operation);
  readonly callCompleted: Audit["callCompleted"] = (_, _call, outcome) => {
    this.callOutcomes.push(outcome);
    this.#note("call completed", `${outcome.status}`);
  };
  readonly callRefused: Audit["callRefused"] = (_, _call, { refusal }) => this.#note("call refused", refusal.refused);
  readonly fileRefused: Audit["fileRefused"] = () => this.#note("file refused");

  readonly udpRefused: Audit["udpRefused"] = () => this.#note("udp refused");
  readonly dnsAnswered: Audit["dnsAnswered"] = () => this.#note("dns answered");
  readonly dnsRefused: Audit["dnsRefused"] = () => this.#note("dns refused");
  readonly kernelCallsRefused: Audit["kernelCallsRefused"] = () => this.#note("calls refused");
  readonly processStarted: Audit["processStarted"] = () => this.#note("process started");
  readonly processExited: Audit["processExited"] = () => this.#note("process exited");
  readonly ssh: Audit["ssh"] = () => this.#note("ssh");
  readonly lifecycle: Audit["lifecycle"] = () => this.#note("lifecycle");
  readonly configChanged: Audit["configChanged"] = () => this.#note("config changed");
  readonly finding: Audit["finding"] = () => this.#note("finding");

  #note(...words: readonly string[]): undefined {
    this.events.push(words.join(" "));
    return undefined;
  }
}

/** An endpoint in which everything has its default. */
export function plainEndpoint(changes: Partial<Endpoint> = {}): Endpoint {
  return {
    host: "upstream.invalid",
    ports: [80],
    path: "",
    enforcement: "enforce",
    denyRules: [],
    allowedIps: [],
    allowEncodedSlash: false,
    websocketCredentialRewrite: false,
    requestBodyCredentialRewrite: false,
    maskCredentials: false,
    allowUninspectedCredentials: false,
    graphql: { persistedQueries: "deny", registered: new Map(), maxBodyBytes: 65536 },
    mcp: { maxBodyBytes: 65536, strictToolNames: true, allowAllKnownMethods: false },
    jsonRpcMaxBodyBytes: 65536,
    advisorProposed: false,
    ...changes,
  };
}

/** What a test's policy says; absent parts allow under inspection. */
export interface TestPolicy {
  readonly version?: number;
  readonly endpoint?: Endpoint;
  readonly connect?: (host: string) => ConnectVerdict | undefined;
  readonly request?: (request: RequestFacts) => RequestVerdict | undefined;
}

/** Denies a request for want of a rule. */
export const noRule: RequestVerdict = { kind: "deny", reason: "inspect.no_rule", rule: "test", auditOnly: false };

export function testPolicy(policy: TestPolicy): CompiledPolicy {
  const matched = { rule: "test", endpoint: policy.endpoint ?? plainEndpoint({ protocol: "rest" }) };
  const inspected = matched.endpoint.protocol !== undefined;
  return {
    revision: { version: policy.version ?? 1, hash: "" },
    connect: ({ host }) => policy.connect?.(host) ?? { kind: "allow", rule: "test", endpoints: [matched], inspected },
    request: (_, facts) => policy.request?.(facts) ?? { kind: "allow", rule: "test", endpoint: matched },
  };
}

/** A proxy on loopback with everything behind it. */
export class LoopbackWorld implements AsyncDisposable {
  readonly audit = new RememberingAudit();
  readonly defects: unknown[] = [];
  policy: CompiledPolicy;
  credentials = noCredentials;
  readonly path: DecisionPath;
  /** Calls to models; without any, a connection to them is closed. */
  infer: EgressContext["steps"]["infer"] = async ({ stream }) => {
    stream.destroy();
    return "closed";
  };
  readonly #stop = new AbortController();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #ids = 0;

  constructor(policy: TestPolicy = {}) {
    this.policy = testPolicy(policy);
    this.path = createDecisionPath(this.context());
  }

  context(): EgressContext {
    return {
      sandboxName: "box",
      policy: () => this.policy,
      credentials: () => this.credentials,
      audit: this.audit,
      newId: () => `id-${++this.#ids}`,
      now: () => Date.now(),
      signal: this.#stop.signal,
      onDefect: (error) => this.defects.push(error),
      steps: {
        infer: (connection, live) => this.infer(connection, live),
        identify: async (connection) => identifiedAsTest(connection),
        guard: async (decided): Promise<Guarded | Refusal> => ({
          ...decided,
          addresses: [{ family: 4, text: "127.0.0.1" }],
        }),
        terminate: async () => ({ refused: "terminate.upstream_untrusted", detail: "no TLS in this world" }),
      },
    };
  }

  /** Listens on loopback; gives the port. */
  async listen(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#track(socket);
      onConnection(socket);
    });
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  /** Aborted with the world. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** The explicit proxy; gives its port. */
  proxy(): Promise<number> {
    return this.listen((socket) => void serveProxyClient(socket, this.path, this.context()));
  }

  async connect(port: number): Promise<TestClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.#track(socket);
    await once(socket, "connect");
    return new TestClient(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
  }
}

/** A client that says bytes and waits for bytes. */
export class TestClient {
  readonly socket: Socket;
  received = "";
  #ended = false;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const change = (): void => {
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    };
    socket.on("data", (piece: Buffer) => {
      this.received += piece.toString("latin1");
      change();
    });
    socket.on("close", () => {
      this.#ended = true;
      change();
    });
    socket.on("end", () => {
      this.#ended = true;
      change();
    });
  }

  say(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Waits until what was received since the last `until` matches; gives it up to the match's end, and forgets it. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.received);
      if (match !== null) {
        const end = match.index + match[0].length;
        const text = this.received.slice(0, end);
        this.received = this.received.slice(end);
        return text;
      }
      if (this.#ended) throw new Error(`the connection ended after ${JSON.stringify(this.received)}`);
      await this.#changed.promise;
    }
  }

  /** Waits for the other side to close; gives what came before. */
  async untilClosed(): Promise<string> {
    while (!this.#ended) await this.#changed.promise;
    return this.received;
  }
}

function identifiedAsTest(connection: Intercepted): Identified {
  const holder = { pid: 7, path: "/usr/bin/test", sha256: "", ancestors: [], commandLine: ["test"] };
  return { ...connection, holders: [holder] };
}

/** The host that tests ask for. */
export const upstreamHost = "upstream.invalid" as CanonicalHost;
