/**
 * A strict double of a cluster's API, for the objects that the driver makes: it takes nothing that the published OpenAPI
 * document does not know, holds agents' containers to the restricted Pod Security Standard, numbers its changes, refuses
 * what is there already, and tells watchers of each change until it has forgotten where they were (410). No cluster: what
 * becomes of a pod is for a test to say.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { createCertificateAuthority, issueLeaf, privateKeyPem } from "../../../net/x509/certificate-authority.ts";
import { breachesOfRestricted } from "./pod-security.ts";
import { faultsOf } from "./schema.ts";

export interface StoredObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: object;
  readonly stringData?: Readonly<Record<string, string>>;
}

interface Change {
  readonly version: number;
  readonly kind: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: StoredObject;
}

export interface ApiDoubleOptions {
  /** What becomes of a pod that was made, or is to end; by itself nothing does. */
  readonly onPod?: (pod: StoredObject) => void;
  /** What a webhook of the cluster's makes of an object before it is stored. */
  readonly mutate?: (object: StoredObject) => StoredObject;
}

const TOKEN = "of-the-gateway";

export class ApiDouble implements AsyncDisposable {
  readonly authority: string;
  readonly token = TOKEN;
  readonly #server: Server;
  readonly #options: ApiDoubleOptions;
  readonly #objects = new Map<string, StoredObject>();
  readonly #watchers = new Set<{ readonly kind: string; readonly labels: string; readonly answer: ServerResponse }>();
  #changes: Change[] = [];
  #version = 1;
  /** Below this no watch can begin any more. */
  #oldest = 0;

  private constructor(options: ApiDoubleOptions) {
    this.#options = options;
    const validity = { now: new Date(), days: 1 };
    const authority = createCertificateAuthority({ commonName: "cluster", organization: "test" }, validity);
    const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
    const leaf = issueLeaf(authority, { subject: { commonName: "api" }, usage: "server", validity, ...names });
    this.authority = authority.pem;
    this.#server = createServer({ key: privateKeyPem(leaf.key), cert: leaf.pem }, (request, answer) => {
      this.#answer(request, answer).catch((error: unknown) => answer.destroy(error as Error));
    });
  }

  static async start(options: ApiDoubleOptions = {}): Promise<ApiDouble> {
    const double = new ApiDouble(options);
    await new Promise<void>((resolve) => void double.#server.listen(0, "127.0.0.1", resolve));
    return double;
  }

  get server(): URL {
    return new URL(`https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  all(kind: string): readonly StoredObject[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind);
  }

  get(kind: string, name: string): StoredObject | undefined {
    return this.#objects.get(`${kind}/${name}`);
  }

  setStatus(name: string, status: object): void {
    const pod = this.get("Pod", name);
    if (pod !== undefined) this.#store("MODIFIED", { ...pod, status });
  }

  /** The kubelet has ended what ran in it. */
  removePod(name: string): void {
    const pod = this.get("Pod", name);
    if (pod === undefined) return;
    this.#objects.delete(`Pod/${name}`);
    this.#tell("DELETED", pod);
  }

  /** Ends every watch, and forgets what happened: whoever comes again must list. */
  forgetChanges(): void {
    this.#changes = [];
    this.#oldest = this.#version;
    this.breakWatches();
  }

  breakWatches(): void {
    for (const { answer } of this.#watchers) answer.destroy();
  }

  get watches(): number {
    return this.#watchers.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "https://api");
    if (request.headers.authorization !== `Bearer ${TOKEN}`) return refuse(answer, 401, "Unauthorized", "no token");
    const [, namespace, plural, name] =
      /^\/api\/v1\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const kind = { pods: "Pod", secrets: "Secret", persistentvolumeclaims: "PersistentVolumeClaim", events: "Event" }[
      plural ?? ""
    ];
    if (namespace !== "sandboxes" || kind === undefined)
      return refuse(answer, 403, "Forbidden", `${url.pathname} is not the gateway's`);
    if (request.method === "POST") return this.#create(answer, kind, (await json(request)) as StoredObject);
    if (request.method === "DELETE") return this.#delete(answer, kind, name ?? "", (await json(request)) as Deletion);
    if (url.searchParams.get("watch") === "true") return this.#watch(answer, kind, url.searchParams);
    send(answer, 200, {
      metadata: { resourceVersion: String(this.#version) },
      items: this.#listed(kind, url.searchParams),
    });
  }

  #create(answer: ServerResponse, kind: string, given: StoredObject): void {
    const asked = this.#options.mutate?.(given) ?? given;
    const faults = [...(given.kind === kind ? [] : [`kind: not ${kind}`]), ...faultsOf(asked)];
    if (faults.length > 0) return refuse(answer, 400, "BadRequest", `strict decoding error: ${faults.join("; ")}`);
    const breaches = kind === "Pod" ? breachesOf(given) : [];
    if (breaches.length > 0)
      return refuse(answer, 403, "Forbidden", `violates PodSecurity "restricted:latest": ${breaches.join(", ")}`);
    const { name } = given.metadata;
    if (this.get(kind, name)) return refuse(answer, 409, "AlreadyExists", `${kind} "${name}" already exists`);
    const stored = this.#store("ADDED", { ...asked, metadata: { ...asked.metadata, uid: randomUUID() } });
    send(answer, 201, stored);
    if (kind === "Pod") this.#options.onPod?.(stored);
  }

  #delete(answer: ServerResponse, kind: string, name: string, { gracePeriodSeconds }: Deletion): void {
    const object = this.get(kind, name);
    if (object === undefined) return refuse(answer, 404, "NotFound", `${kind} "${name}" not found`);
    if (kind === "Pod" && gracePeriodSeconds !== 0) {
      const marked = { ...object, metadata: { ...object.metadata, deletionTimestamp: new Date().toISOString() } };
      send(answer, 200, this.#store("MODIFIED", marked));
      return this.#options.onPod?.(marked);
    }
    this.#objects.delete(`${kind}/${name}`);
    this.#tell("DELETED", object);
    send(answer, 200, { kind: "Status", status: "Success" });
  }

  #watch(answer: ServerResponse, kind: string, query: URLSearchParams): void {
    const since = Number(query.get("resourceVersion"));
    if (since < this.#oldest)
      return refuse(answer, 410, "Expired", `too old resource version: ${since} (${this.#oldest})`);
    const watcher = { kind, labels: query.get("labelSelector") ?? "", answer };
    answer.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    for (const change of this.#changes.filter(({ version }) => version > since)) tell(watcher, change);
    this.#watchers.add(watcher);
    answer.once("close", () => this.#watchers.delete(watcher));
  }

  /** As an API server does once a minute. */
  bookmark(): void {
    const object = { kind: "Pod", metadata: { resourceVersion: String(this.#version) } };
    for (const { answer } of this.#watchers) answer.write(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
  }

  #listed(kind: string, query: URLSearchParams): readonly StoredObject[] {
    return this.all(kind).filter((object) => isSelected(object, query.get("labelSelector") ?? ""));
  }

  #store(type: Change["type"], object: StoredObject): StoredObject {
    const { metadata } = object;
    const stored = { ...object, metadata: { ...metadata, resourceVersion: String(this.#version + 1) } };
    this.#objects.set(`${object.kind}/${metadata.name}`, stored);
    this.#tell(type, stored);
    return stored;
  }

  #tell(type: Change["type"], object: StoredObject): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const change = { version: this.#version, kind: object.kind, type, object: { ...object, metadata } };
    this.#changes.push(change);
    for (const watcher of this.#watchers) tell(watcher, change);
  }
}

interface Deletion {
  readonly gracePeriodSeconds?: number;
}

function tell(watcher: { kind: string; labels: string; answer: ServerResponse }, { kind, type, object }: Change): void {
  if (kind !== watcher.kind || !isSelected(object, watcher.labels)) return;
  watcher.answer.write(`${JSON.stringify({ type, object })}\n`);
}

function isSelected({ metadata }: StoredObject, selector: string): boolean {
  return selector.split(",").every((term) => {
    const [name = "", wanted] = term.split("=");
    return term === "" || metadata.labels?.[name] === wanted;
  });
}

function breachesOf({ spec = {} }: StoredObject): string[] {
  const containers = spec["containers"] as Parameters<typeof breachesOfRestricted>[1][];
  const agent = containers.find(({ name }) => name === "agent");
  return agent === undefined ? ["no container `agent`"] : breachesOfRestricted(spec, agent);
}

function send(answer: ServerResponse, status: number, body: object): void {
  answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(answer: ServerResponse, code: number, reason: string, message: string): void {
  send(answer, code, { kind: "Status", status: "Failure", code, reason, message });
}
