/**
 * A container engine's API over its Unix socket: the part of Docker's that Podman serves as well. A client of our own and
 * not `dockerode`: some fifteen calls of JSON are needed and one stream, for which that brings an SSH library, gRPC and
 * protobuf along.
 */
import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Of 20.10, which all engines that are maintained still speak unless they say that they no longer do. */
const PREFERRED_VERSION = "1.41";
/** Podman's own: of 4.0, which later ones still speak. */
const PODMAN_API = "/v4.0.0/libpod";
/** More than any description; what is longer is no answer of an engine's. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** What it says of something that takes a while; which of these there are depends on what it does. */
export interface Progress {
  /** A piece of text, with its line ends. */
  readonly stream?: string;
  readonly status?: string;
  /** Of the layer that `status` is about. */
  readonly id?: string;
}

/** The status of a refusal that comes when all had been well at first. */
const FAILED_MEANWHILE = 500;

export interface EngineAddress {
  readonly name: "docker" | "podman";
  readonly socketPath: string;
}

/** The engine said no; `status` is HTTP's. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "EngineRefusal";
    this.status = status;
  }
}

/** How whoever uses the engine says that something does not answer for now. */
export type Unavailable = (message: string) => Error;

interface Call {
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as the archive that it is. */
  readonly body?: object | Readable;
  /** Ends the call, and with it what the engine does for it. */
  readonly signal?: AbortSignal | undefined;
}

export class Engine {
  readonly name: EngineAddress["name"];
  readonly #socketPath: string;
  readonly #unavailable: Unavailable;
  #version = "";

  private constructor({ name, socketPath }: EngineAddress, unavailable: Unavailable) {
    this.name = name;
    this.#socketPath = socketPath;
    this.#unavailable = unavailable;
  }

  /** Throws what `unavailable` makes of the reason if no engine answers there, as do all calls. */
  static async connect(address: EngineAddress, unavailable: Unavailable): Promise<Engine> {
    const engine = new Engine(address, unavailable);
    const { MinAPIVersion: least = "1.12" } = await engine.get<{ MinAPIVersion?: string }>("/version");
    engine.#version = `/v${isNewer(least, PREFERRED_VERSION) ? least : PREFERRED_VERSION}`;
    return engine;
  }

  async get<T>(path: string, query: Call["query"] = {}): Promise<T> {
    return JSON.parse((await this.#call("GET", path, { query })).toString("utf8")) as T;
  }

  /**
   * What there is to know of an image. Podman's part of the API that is Docker's takes every short name for one of Docker
   * Hub's; its own finds the images that were built or imported here, as its command line does.
   */
  async image<T>(name: string): Promise<T> {
    const path = `/images/${name}/json`;
    if (this.name === "docker") return await this.get<T>(path);
    return JSON.parse((await this.#request("GET", `${PODMAN_API}${path}`, {})).toString("utf8")) as T;
  }

  /**
   * What an engine says while it works, as it says it. Throws what it says went wrong. A reader that leaves early ends
   * the work.
   */
  async *progress(path: string, call: Call = {}): AsyncGenerator<Progress> {
    const answer = await this.#ask("POST", `${this.#version}${path}`, call);
    await requireGood(answer);
    try {
      for await (const line of createInterface({ input: answer })) {
        if (line.trim() === "") continue;
        const said = JSON.parse(line) as Progress & { readonly error?: string };
        if (said.error !== undefined) throw new EngineRefusal(FAILED_MEANWHILE, said.error);
        yield said;
      }
    } finally {
      answer.destroy();
    }
  }

  /** The answer's body, which is JSON or nothing. */
  async post(path: string, call: Call = {}): Promise<Buffer> {
    return await this.#call("POST", path, call);
  }

  async put(path: string, call: Call): Promise<void> {
    await this.#call("PUT", path, call);
  }

  /** What a container prints, as it comes. */
  async *output(path: string, call: Call): AsyncGenerator<Buffer> {
    const answer = await this.#ask("GET", `${this.#version}${path}`, call);
    await requireGood(answer);
    let rest = Buffer.alloc(0);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const { payloads, unread } = unframed(Buffer.concat([rest, chunk]));
      rest = unread;
      yield* payloads;
    }
  }

  async getBytes(path: string, query: Call["query"] = {}): Promise<Buffer> {
    return await this.#call("GET", path, { query });
  }

  async delete(path: string, query: Call["query"] = {}): Promise<void> {
    await this.#call("DELETE", path, { query });
  }

  /** A container's standard streams: what is written is its input, what comes is framed output. */
  attach(container: string): Promise<Socket> {
    const query = "?stream=1&stdin=1&stdout=1&stderr=1";
    const attaching = request({
      socketPath: this.#socketPath,
      method: "POST",
      path: `${this.#version}/containers/${container}/attach${query}`,
      headers: { host: "engine", connection: "Upgrade", upgrade: "tcp" },
    });
    return new Promise((resolve, reject) => {
      attaching.once("upgrade", (_answer, socket: Socket) => resolve(socket));
      attaching.once("response", (answer) => answerOf(answer).then(() => reject(notAttached()), reject));
      attaching.once("error", (error) => reject(this.#unreachable(error)));
      attaching.end();
    });
  }

  async #call(method: string, path: string, call: Call): Promise<Buffer> {
    return await this.#request(method, `${this.#version}${path}`, call);
  }

  async #request(method: string, path: string, call: Call): Promise<Buffer> {
    return await answerOf(await this.#ask(method, path, call));
  }

  async #ask(method: string, path: string, { query = {}, body, signal }: Call): Promise<IncomingMessage> {
    const search = new URLSearchParams(query).toString();
    const isArchive = body !== undefined && "pipe" in body;
    const calling = request({
      socketPath: this.#socketPath,
      ...(signal && { signal }),
      method,
      path: `${path}${search && `?${search}`}`,
      headers: {
        host: "engine",
        ...(body && { "content-type": isArchive ? "application/x-tar" : "application/json" }),
      },
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      calling.once("response", resolve);
      calling.once("error", (error) => reject(this.#unreachable(error)));
    });
    // An archive that can't be read to its end ends the call; an engine that has had enough of it answers before.
    if (isArchive) void pipeline(body, calling).catch(() => undefined);
    else calling.end(body && JSON.stringify(body));
    return await answer;
  }

  /** It may be back soon: who waits for it can. */
  #unreachable({ message }: Error): Error {
    return this.#unavailable(`${this.name} does not answer at ${this.#socketPath}: ${message}`);
  }
}

const notAttached = () => new Error("the engine did not attach to the container");

/** Throws EngineRefusal. */
async function requireGood(answer: IncomingMessage): Promise<void> {
  // 304: it was so already.
  if ((answer.statusCode ?? 0) >= 400) await answerOf(answer);
}

async function answerOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error("the engine's answer is too long");
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  const { statusCode: status = 0 } = answer;
  if (status < 400) return body;
  throw new EngineRefusal(status, messageOf(body));
}

function messageOf(body: Buffer): string {
  try {
    return String((JSON.parse(body.toString("utf8")) as { message?: unknown }).message ?? body);
  } catch {
    return body.toString("utf8").trim();
  }
}

function isNewer(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split(".").map(Number);
  return major > otherMajor || (major === otherMajor && minor > otherMinor);
}

/** Undefined instead of the refusal with which an engine says that there is no such thing. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** The text of a container's output. */
export function outputText(framed: Buffer): string {
  return Buffer.concat(unframed(framed).payloads).toString("utf8");
}

/** What a container prints comes in frames of eight bytes, four of them the length, and a payload. */
function unframed(bytes: Buffer): { readonly payloads: Buffer[]; readonly unread: Buffer<ArrayBuffer> } {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    if (end > bytes.length) break;
    payloads.push(bytes.subarray(at + 8, end));
    at = end;
  }
  return { payloads, unread: Buffer.from(bytes.subarray(at)) };
}
