/** Servers of the world that speak HTTP/2: one that echoes requests, and one of gRPC. */
import { once } from "node:events";
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { text } from "node:stream/consumers";
import {
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { leafFor } from "./http-server.ts";
import { type HostName, hosts } from "./names.ts";

export interface Http2EchoServer extends AsyncDisposable {
  /** Method, version and path of each request, such as `GET 2.0 /`. */
  readonly heard: readonly string[];
}

/** Answers each request with its version, method, path and body. In TLS it speaks HTTP/1.1 as well. */
export async function startHttp2Server(host: HostName, { tls }: { readonly tls: boolean }): Promise<Http2EchoServer> {
  const heard: string[] = [];
  const { certificate, key } = leafFor(host);
  const server: Http2Server = tls ? createSecureServer({ cert: certificate, key, allowHTTP1: true }) : createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("request", async (request, response) => {
    heard.push(`${request.method} ${request.httpVersion} ${request.url}`);
    const body = await text(request).catch(() => "");
    response.setHeader("content-type", "text/plain");
    response.end(`${heard.at(-1)} ${body.length}\n`);
  });
  server.listen(tls ? 443 : 80, hosts[host][0]);
  await once(server, "listening");
  return {
    heard,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = {
  serialize: (value: object) => Buffer.from(JSON.stringify(value)),
  parse: (bytes: Buffer) => JSON.parse(`${bytes}`),
};

function method(path: string, streams: { readonly request: boolean; readonly response: boolean }) {
  const { serialize, parse } = json;
  return {
    path,
    requestStream: streams.request,
    responseStream: streams.response,
    ...{
      requestSerialize: serialize,
      requestDeserialize: parse,
      responseSerialize: serialize,
      responseDeserialize: parse,
    },
  };
}

/** Every kind of call that gRPC has. Messages are JSON objects, which saves a compiler of protocol buffers. */
export const echoService: ServiceDefinition = {
  one: method("/test.Echo/One", { request: false, response: false }),
  secret: method("/test.Echo/Secret", { request: false, response: false }),
  down: method("/test.Echo/Down", { request: false, response: true }),
  up: method("/test.Echo/Up", { request: true, response: false }),
  both: method("/test.Echo/Both", { request: true, response: true }),
  /** Is never answered. */
  wait: method("/test.Echo/Wait", { request: false, response: false }),
};

interface Message {
  readonly text: string;
}

export interface GrpcServer extends AsyncDisposable {
  /** Waits until the client has given up so many calls. */
  readonly untilCancelled: (count: number) => Promise<void>;
}

export async function startGrpcServer(host: HostName): Promise<GrpcServer> {
  let cancelled = 0;
  let changed = Promise.withResolvers<void>();
  const unary: handleUnaryCall<Message, Message> = (call, done) => {
    const trailers = new Metadata();
    trailers.set("x-trailer", "from the server");
    done(null, call.request, trailers);
  };
  const server = new Server();
  server.addService(echoService, {
    one: unary,
    secret: unary,
    down: (call: ServerWritableStream<Message, Message>) => {
      for (let i = 0; i < 3; i++) call.write({ text: `${call.request.text}${i}` });
      call.end();
    },
    up: (call: ServerReadableStream<Message, Message>, done: (error: null, value: Message) => void) => {
      const texts: string[] = [];
      call.on("data", ({ text: said }: Message) => texts.push(said));
      call.on("end", () => done(null, { text: texts.join("") }));
    },
    both: (call: ServerDuplexStream<Message, Message>) => {
      call.on("data", (message: Message) => call.write(message));
      call.on("end", () => call.end());
    },
    // Its metadata tell the client that it is here.
    wait: (call: Parameters<typeof unary>[0]) => {
      call.sendMetadata(new Metadata());
      call.on("cancelled", () => {
        cancelled++;
        changed.resolve();
        changed = Promise.withResolvers();
      });
    },
  });
  const { certificate, key } = leafFor(host);
  const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) };
  const credentials = ServerCredentials.createSsl(null, [pair]);
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`${hosts[host][0]}:443`, credentials, (error) => (error ? reject(error) : resolve())),
  );
  return {
    async untilCancelled(count) {
      while (cancelled < count) await changed.promise;
    },
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}
