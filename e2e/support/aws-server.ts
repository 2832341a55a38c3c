/**
 * A server that believes nobody whose signature is wrong: AWS Signature Version 4, verified from the published description
 * and without a line of the product's. It keeps the objects that it is given.
 */
import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage, RequestListener } from "node:http";
import { buffer } from "node:stream/consumers";

export interface AwsKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly target: string;
  /** What the signature says of the body. */
  readonly payload: string;
  readonly body: Buffer;
}

const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

export class AwsServer {
  /** Requests whose signature was right. */
  readonly verified: SignedRequest[] = [];
  readonly #objects = new Map<string, Buffer>();
  readonly #key: AwsKeyPair;

  constructor(key: AwsKeyPair) {
    this.#key = key;
  }

  readonly listener: RequestListener = async (request, response) => {
    const { method = "", url: target = "" } = request;
    const body = await buffer(request);
    const payload = this.#verify(request, body);
    if (payload === undefined)
      return void response.writeHead(403).end("<Error><Code>SignatureDoesNotMatch</Code></Error>");
    this.verified.push({ target, payload, body });
    const name = target.replace(/\?.*$/s, "");
    if (method === "PUT") this.#objects.set(name, isChunked(request) ? unchunked(body) : body);
    response.writeHead(200, { etag: '"1"', "content-type": "application/octet-stream" });
    response.end(method === "GET" ? this.#objects.get(name) : undefined);
  };

  /** What was signed of the body; undefined if the signature, or the body, is another. */
  #verify(request: IncomingMessage, body: Buffer): string | undefined {
    const [, id, day, region, service, names, signature] =
      authorizationForm.exec(request.headers.authorization ?? "") ?? [];
    if (id !== this.#key.accessKeyId || names === undefined) return undefined;
    const said = request.headers["x-amz-content-sha256"];
    const payload = typeof said === "string" ? said : sha256(body);
    if (/^[0-9a-f]{64}$/.test(payload) && payload !== sha256(body)) return undefined;
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const fields = names.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
    const pairs = query === "" ? [] : query.split("&").map((pair) => (pair.includes("=") ? pair : `${pair}=`));
    const canonical = [request.method, path, pairs.sort().join("&"), fields.join(""), names, payload].join("\n");
    const scope = `${day}/${region}/${service}/aws4_request`;
    const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(Buffer.from(canonical))].join("\n");
    const key = scope.split("/").reduce<Buffer | string>(hmac, `AWS4${this.#key.secretAccessKey}`);
    return hmac(key, text).toString("hex") === signature ? payload : undefined;
  }
}

function isChunked({ headers }: IncomingMessage): boolean {
  return String(headers["content-encoding"]).includes("aws-chunked");
}

/** Takes AWS's own chunks apart; each has its length in hexadecimal digits before it, and trailers follow the last. */
function unchunked(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) return Buffer.concat(pieces);
    pieces.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
