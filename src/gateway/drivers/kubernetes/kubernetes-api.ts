/**
 * A cluster's API, as far as it is needed here: objects of one namespace by their kind and name, and what becomes of them. A
 * client of our own and not the published one, as with engines (docs/adr/0008-three-containers.md, 0010).
 */
import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { unavailable } from "../../refuse.ts";
import type { ClusterAccess } from "./cluster-access.ts";

/** More than any object, or a list of a thousand pods. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** An API that says nothing for so long is away … */
const ANSWER_TIMEOUT_MS = 30_000;
/** … or for a watch, which has bookmarks once a minute and is ended by the API every few. */
const WATCH_TIMEOUT_MS = 300_000;

/** The cluster said no; `status` is HTTP's, `reason` the API's word for it. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(
    status: number,
    { reason = "", message = `the API answered ${status}` }: { reason?: string; message?: string },
  ) {
    super(message);
    this.name = "ApiRefusal";
    this.status = status;
    this.reason = reason;
  }
}

export type Kind = "pods" | "secrets" | "persistentvolumeclaims" | "events";

export interface ObjectMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
}

export interface ApiObject {
  readonly metadata: ObjectMeta;
}

export interface ObjectList<T extends ApiObject> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

export type Query = Readonly<Record<string, string>>;

export class KubernetesApi {
  readonly #access: ClusterAccess;
  readonly #namespace: string;
  readonly #agent: Agent;

  constructor(access: ClusterAccess, namespace: string) {
    this.#access = access;
    this.#namespace = namespace;
    const { authority, client } = access;
    this.#agent = new Agent({
      keepAlive: true,
      ...(authority !== undefined && { ca: authority }),
      ...(client && { cert: client.certificate, key: client.key }),
    });
  }

  async create<T extends ApiObject>(kind: Kind, body: object): Promise<T> {
    return await this.#json<T>("POST", this.#path(kind), { body });
  }

  async list<T extends ApiObject>(kind: Kind, query: Query): Promise<ObjectList<T>> {
    return await this.#json("GET", this.#path(kind), { query });
  }

  /** Nothing if there is none. */
  async delete(kind: Kind, name: string, body: object = {}): Promise<void> {
    await this.#json("DELETE", this.#path(kind, name), { body }).catch((error: unknown) => {
      if (!(error instanceof ApiRefusal && error.status === 404)) throw error;
    });
  }

  /** Events until the API ends the watch, which it does every few minutes. Throws like all others. */
  async *watch<T>(kind: Kind, query: Query, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
    const answer = await this.#answer("GET", this.#path(kind), { query: { ...query, watch: "true" }, signal });
    if (answer.statusCode !== 200) throw refusalOf(answer.statusCode ?? 0, await bodyOf(answer));
    let pending = "";
    for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (pending + chunk).split("\n");
      pending = lines.pop() ?? "";
      if (pending.length > MAX_ANSWER_BYTES) throw new Error("an event of the API's is too long");
      for (const line of lines) if (line !== "") yield JSON.parse(line) as WatchEvent<T>;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #path(kind: Kind, name?: string): string {
    return `/api/v1/namespaces/${this.#namespace}/${kind}${name === undefined ? "" : `/${name}`}`;
  }

  async #json<T>(method: string, path: string, call: Call): Promise<T> {
    const answer = await this.#answer(method, path, call);
    const body = await bodyOf(answer);
    const { statusCode: status = 0 } = answer;
    if (status >= 300) throw refusalOf(status, body);
    return JSON.parse(body) as T;
  }

  #answer(method: string, path: string, { query = {}, body, signal }: Call): Promise<IncomingMessage> {
    const { server, token } = this.#access;
    const search = new URLSearchParams(query).toString();
    const sent = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      headers: {
        accept: "application/json",
        ...(token && { authorization: `Bearer ${token()}` }),
        // Node says no length by itself for a DELETE.
        ...(sent && { "content-type": "application/json", "content-length": sent.length }),
      },
      ...(signal && { signal }),
    };
    const base = server.href.replace(/\/$/, "");
    const calling = request(`${base}${path}${search && `?${search}`}`, options);
    return new Promise((resolve, reject) => {
      const patience = signal === undefined ? ANSWER_TIMEOUT_MS : WATCH_TIMEOUT_MS;
      calling.setTimeout(patience, () => calling.destroy(new Error("no answer")));
      calling.once("response", resolve);
      calling.once("error", (error) => reject(unavailable(`the cluster's API does not answer: ${error.message}`)));
      calling.end(sent);
    });
  }
}

interface Call {
  readonly query?: Query;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of answer.setEncoding("utf8") as AsyncIterable<string>) {
    body += chunk;
    if (body.length > MAX_ANSWER_BYTES) throw new Error("the API's answer is too long");
  }
  return body;
}

function refusalOf(status: number, body: string): ApiRefusal {
  try {
    return new ApiRefusal(status, JSON.parse(body) as { reason?: string; message?: string });
  } catch {
    return new ApiRefusal(status, {});
  }
}
