/** A world with models in it: backends on loopback, routes to them, and callers who come through the proxy. */
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  type ModelRoute,
  type ModelRoutes,
  modelRoutesFromJson,
  modelRoutesToJson,
} from "../../../inference/routes.ts";
import { ModelBackend } from "../../../inference/test-support/model-backend.ts";
import { Secret } from "../../../secrets/secret.ts";
import { openInference } from "../03-inference/open-inference.ts";
import { UpstreamProxies } from "../05-guard/upstream-proxies.ts";
import { SandboxAuthority } from "../07-terminate/certificate-authority.ts";
import { UpstreamTrust } from "../07-terminate/trust-bundle.ts";
import { LoopbackWorld } from "./loopback-world.ts";

export const authority = new SandboxAuthority("test");

/** What a caller got. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly json: any;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string;
}

export class InferenceWorld extends LoopbackWorld {
  readonly #servers: Server[] = [];
  #routes: ModelRoutes = { revision: 0, routes: [], budget: {} };
  #proxy: number | undefined;

  constructor() {
    super();
    this.infer = openInference({
      spec: { sandboxName: "box" },
      audit: this.audit,
      authority,
      trust: new UpstreamTrust(() => ""),
      resolver: async () => [],
      proxies: new UpstreamProxies({ proxies: {}, noProxy: [], resolve: "local", clientCertificates: [] }),
      modelRoutes: () => this.#routes,
      onDefect: (error) => this.defects.push(error),
      signal: this.signal,
    });
  }

  /** A backend, and the base URL under which a route finds it. */
  async backend(): Promise<ModelBackend & { readonly baseUrl: string }> {
    const backend = new ModelBackend();
    return Object.assign(backend, { baseUrl: await this.serve(backend.listener) });
  }

  /** A server of its own; gives its URL. */
  async serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Puts routes in force; what a route does not say is as for a default route of OpenAI's. */
  route(...routes: readonly Partial<ModelRoute>[]): void {
    this.budgeted({}, ...routes);
  }

  /** The same, with a budget for the sandbox. */
  budgeted(budget: ModelRoutes["budget"], ...routes: readonly Partial<ModelRoute>[]): void {
    const whole = routes.map((route): ModelRoute => ({ ...plainRoute, ...route }));
    this.#routes = modelRoutesFromJson(
      modelRoutesToJson({ revision: this.#routes.revision + 1, routes: whole, budget }),
    );
  }

  /** Begins a call; the answer can be read as it comes. */
  async open(path: string, asking: Asking = {}): Promise<IncomingMessage> {
    this.#proxy ??= await this.proxy();
    const body = typeof asking.body === "object" ? JSON.stringify(asking.body) : asking.body;
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port: this.#proxy,
      method: asking.method ?? "POST",
      path: `http://inference.local${path}`,
      headers: { host: "inference.local", authorization: "Bearer callers-own", ...asking.headers },
      agent: false,
    });
    outgoing.end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    return response;
  }

  async ask(path: string, asking: Asking = {}): Promise<Answered> {
    const response = await this.open(path, asking);
    const body = await text(response);
    const isJson = response.headers["content-type"] === "application/json";
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body,
      json: isJson && body !== "" ? JSON.parse(body) : undefined,
    };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

const plainRoute: ModelRoute = {
  name: "main",
  aliases: [],
  isDefault: true,
  isSystem: false,
  providerName: "my-openai",
  providerType: "openai",
  dialects: ["openai_chat_completions", "openai_responses", "openai_completions", "openai_embeddings"],
  baseUrl: "http://127.0.0.1:9",
  model: "served-model",
  credential: new Secret("sk-operators-canary"),
  headers: {},
  timeouts: { connect: 1000, firstByte: 5000, idle: 5000, total: 10_000 },
  fallbacks: [],
  retries: 0,
  budget: {},
};
