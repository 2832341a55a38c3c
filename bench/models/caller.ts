/**
 * The program that asks models, the same inside a sandbox and beside it. It runs as the text of `node -e`, and so imports
 * nothing but Node. Each line of its input is one question; each line of its output a number of milliseconds: the median
 * over all that the question asks for.
 */
import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";

export interface ModelQuestion {
  /** Without the path. */
  readonly baseUrl: string;
  /** `first`: until an answer's first event. `event`: from the backend's writing of an event until it is read. */
  readonly wanted: "first" | "event";
  /** Answers at the same time. */
  readonly streams: number;
  /** Whom to trust instead of the machine's authorities. PEM. */
  readonly ca?: string;
}

const body = JSON.stringify({ model: "any", stream: true, messages: [{ role: "user", content: "x".repeat(4096) }] });
const agents = { "http:": new http.Agent({ keepAlive: true }), "https:": new https.Agent({ keepAlive: true }) };

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as ModelQuestion;
  const all = await Promise.all(Array.from({ length: question.streams }, () => ask(question)));
  process.stdout.write(`${median(all.flat())}\n`);
}

function ask({ baseUrl, wanted, ca }: ModelQuestion): Promise<number[]> {
  const url = new URL(`${baseUrl}/v1/chat/completions`);
  const isTls = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const delays: number[] = [];
    const start = performance.now();
    const request = (isTls ? https : http).request(url, {
      method: "POST",
      ...(ca !== undefined && { ca }),
      agent: isTls ? agents["https:"] : agents["http:"],
      headers: { "content-type": "application/json", "content-length": body.length },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let first: number | undefined;
      response.on("data", (piece: Buffer) => {
        first ??= performance.now() - start;
        // Both processes read the same clock of the machine.
        const now = process.hrtime.bigint();
        for (const [, sent] of piece.toString().matchAll(/"sent":"(\d+)"/g))
          delays.push(Number(now - BigInt(sent ?? 0)) / 1e6);
      });
      response.on("end", () => resolve(wanted === "first" ? [first ?? Number.NaN] : delays));
      response.on("error", reject);
    });
    request.end(body);
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
