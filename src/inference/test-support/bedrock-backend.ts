/** Bedrock for tests: Claude by InvokeModel, whole and in AWS's event stream; turns down what is not signed. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { awsEvent } from "../../aws/event-stream.ts";
import { renderers } from "./model-answers.ts";

export interface BedrockCall {
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly json: any;
}

/** Bedrock's own, and the one that Anthropic's SDKs send there since October 2026, which newer models take. */
const versions: ReadonlySet<unknown> = new Set(["bedrock-2023-05-31", "2026-10-21"]);

export class BedrockBackend {
  readonly calls: BedrockCall[] = [];
  /** What a stream ends with after its first events, in place of the others. */
  ending: "exception" | "break-off" | "garbage" | "stall" | undefined;

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response);

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = JSON.parse(await text(request));
    const { url: target = "", headers } = request;
    this.calls.push({ target, headers, json });
    const [, model = "", operation] = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream)$/.exec(target) ?? [];
    const fail = (status: number, message: string) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ message }));
    if (!/^AWS4-HMAC-SHA256 Credential=AKIA/.test(headers.authorization ?? "")) return void fail(403, "Missing token");
    if (operation === undefined) return void fail(404, "no such operation");
    if (json.model !== undefined || json.stream !== undefined) return void fail(400, "extraneous key is not permitted");
    if (!versions.has(json.anthropic_version)) return void fail(400, "anthropic_version: Field required");
    const render = renderers.get("/messages");
    const rendered = render?.({ text: "Hello." }, { ...json, model: decodeURIComponent(model) });
    if (operation === "invoke") {
      response.writeHead(200, { "content-type": "application/json", "x-amzn-bedrock-input-token-count": "11" });
      response.end(JSON.stringify(rendered?.whole));
      return;
    }
    response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
    await this.#stream(response, rendered?.events ?? []);
  }

  async #stream(response: ServerResponse, events: readonly string[]): Promise<void> {
    for (const event of this.ending === undefined ? events : events.slice(0, 3)) {
      const bytes = Buffer.from(/^data: (.*)$/m.exec(event)?.[1] ?? "").toString("base64");
      const headers = { ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" };
      await new Promise((resolve) => response.write(awsEvent(headers, JSON.stringify({ bytes, p: "abc" })), resolve));
    }
    switch (this.ending) {
      case "exception": {
        const headers = { ":message-type": "exception", ":exception-type": "throttlingException" };
        response.end(awsEvent(headers, JSON.stringify({ message: "too many tokens" })));
        return;
      }
      case "break-off":
        response.end(awsEvent({ ":event-type": "chunk" }, "half of a message").subarray(0, 20));
        return;
      case "garbage":
        response.end("no message of AWS's, and long enough to be seen as none");
        return;
      case "stall":
        return;
      default:
        response.end();
    }
  }
}
