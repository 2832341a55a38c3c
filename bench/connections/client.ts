/**
 * The client that connections are measured with: the same program inside a sandbox and beside it. It runs as the text of
 * `node -e`, since the sandbox does not see this directory, and so imports nothing but Node. Each line of its input is one
 * question; each line of its output says how many milliseconds the answer took.
 */
import { lookup } from "node:dns/promises";
import http from "node:http";
import https from "node:https";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface Question {
  /** `dns`: only look the name up. `tcp`: bytes of no known protocol. */
  readonly kind: "dns" | "tcp" | "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Dial this instead of what the name leads to. */
  readonly address?: string;
  /** Ask the proxy that the environment names. */
  readonly proxy?: boolean;
  /** Ask on the connection of the question before. */
  readonly kept?: boolean;
  /** Bytes of the answer. */
  readonly bytes: number;
}

const proxyEnv = { HTTP_PROXY: process.env["HTTP_PROXY"], HTTPS_PROXY: process.env["HTTPS_PROXY"] };
// One agent for each way: an agent keeps connections by host and port, however they were reached.
const agents = {
  http: {
    direct: new http.Agent({ keepAlive: true, maxSockets: 1 }),
    proxy: new http.Agent({ keepAlive: true, maxSockets: 1, proxyEnv }),
  },
  https: {
    direct: new https.Agent({ keepAlive: true, maxSockets: 1 }),
    proxy: new https.Agent({ keepAlive: true, maxSockets: 1, proxyEnv }),
  },
};
// Looked up once: name resolution is a question of its own.
const addresses = new Map<string, string>();

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as Question;
  const address = await addressOf(question);
  const start = performance.now();
  await ask(question, address);
  process.stdout.write(`${performance.now() - start}\n`);
}

async function addressOf({ kind, host, address, proxy }: Question): Promise<string> {
  if (address !== undefined || proxy || kind === "dns") return address ?? host;
  const known = addresses.get(host) ?? (await lookup(host)).address;
  addresses.set(host, known);
  return known;
}

async function ask(question: Question, address: string): Promise<void> {
  switch (question.kind) {
    case "dns":
      await lookup(question.host);
      return;
    case "tcp":
      return await askBytes(question.proxy ? await tunnel(question) : connect(question.port, address), question.bytes);
    case "http":
    case "https":
      return await request(question, address);
    default:
      question.kind satisfies never;
  }
}

/** The bench's server answers a line that says how many bytes with so many bytes. */
function askBytes(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    socket.setNoDelay(true);
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received < bytes) return;
      socket.destroy();
      resolve();
    });
    socket.on("end", () => reject(new Error(`the answer ended after ${received} bytes`)));
    socket.write(`${bytes}\n`);
  });
}

function tunnel({ host, port }: Question): Promise<Socket> {
  const proxy = new URL(proxyEnv.HTTP_PROXY ?? "");
  return new Promise((resolve, reject) => {
    const asking = http.request({
      host: proxy.hostname,
      port: proxy.port,
      method: "CONNECT",
      path: `${host}:${port}`,
      agent: false,
    });
    asking.once("connect", (response, socket) => {
      if (response.statusCode === 200) resolve(socket as Socket);
      else reject(new Error(`the proxy answers ${response.statusCode}`));
    });
    asking.once("error", reject);
    asking.end();
  });
}

function request({ kind, host, port, proxy, kept, bytes }: Question, address: string): Promise<void> {
  const { direct, proxy: proxied } = agents[kind === "https" ? "https" : "http"];
  const agent = proxy ? proxied : direct;
  if (!kept) agent.destroy();
  const family = address.includes(":") ? 6 : 4;
  const options = {
    host,
    port,
    path: `/${bytes}`,
    agent,
    ...(!proxy && {
      lookup: (
        _: string,
        { all }: { all?: boolean },
        found: (error: null, result: unknown, family?: number) => void,
      ) => (all ? found(null, [{ address, family }]) : found(null, address, family)),
    }),
  };
  return new Promise((resolve, reject) => {
    const asking = (kind === "https" ? https : http).get(options as https.RequestOptions, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${host}:${port} answers ${response.statusCode}`));
      response.resume().once("end", resolve).once("error", reject);
    });
    asking.once("error", reject);
  });
}
