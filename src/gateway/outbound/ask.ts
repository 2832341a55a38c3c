/**
 * A request of the gateway's own to a service on the network: one answer, small, soon. Redirects are not followed: what
 * carries a secret goes where it was told to and nowhere else.
 */
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { systemCertificates } from "../../net/system-certificates.ts";

export interface Question {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: what is at the address is asked for. */
  readonly body?: string | Buffer;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** An answer to what the gateway asks is a token or a few words; more is not read. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Posts the body, or gets what is there. Rejects with an Error that names the host and what failed, and nothing of the question. */
export function ask({ url, headers, body, timeoutMs }: Question): Promise<Answer> {
  const isTls = url.protocol === "https:";
  const options = {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...headers,
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
      connection: "close",
    },
    signal: AbortSignal.timeout(timeoutMs),
  };
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${url.host}: ${why}`));
    const request = isTls ? requestTls(url, { ...options, ca: systemCertificates() }) : requestPlain(url, options);
    request.on("error", (error: NodeJS.ErrnoException) => {
      fail(error.name === "AbortError" || error.name === "TimeoutError" ? "no answer in time" : error.message);
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", (error) => fail(error.message));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    request.end(body);
  });
}
