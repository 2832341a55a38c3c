/**
 * A model's backend for tests: speaks OpenAI's, Anthropic's and Google's dialects, streamed and not, with tools; and fails in
 * the ways that backends fail. It says what it is told to say, one answer a call, and remembers what it was asked.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type Render, renderers } from "./model-answers.ts";

export interface ToolCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What a model answers: words, or the wish to have a tool called, or several at once. */
export type ModelAnswer = { readonly text: string } | ToolCall | { readonly calls: readonly ToolCall[] };

/** How a call goes wrong. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly message?: string }
  /** The connection is closed without a word. */
  | "hang-up"
  /** Nothing is ever said. */
  | "silence"
  /** A stream stops in its middle, and the connection is closed. */
  | "break-off"
  /** A stream stops in its middle, and nothing follows. */
  | "stall";

export interface ModelCallRecord {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like
  readonly json: any;
  /** Resolves when the connection of the call is closed before its answer was sent. */
  readonly abandoned: Promise<void>;
}

const googlePath = /^\/v1beta\/models\/([^/:]+):(\w+)$/;

export class ModelBackend {
  readonly calls: ModelCallRecord[] = [];
  /** What the next calls are answered, in order; after the last one the model only greets. */
  readonly answers: ModelAnswer[] = [];
  /**
   * The same for an agent's task, by words of it: for calls that bring tools, which agents send besides others (for a title, a
   * summary) of their own. What an agent that fails does not come to hear is not said to the next.
   */
  readonly tasks = new Map<string, ModelAnswer[]>();
  /** What goes wrong with the next calls, in order; undefined: nothing. */
  readonly faults: (Fault | undefined)[] = [];
  /** Between two events of a stream. */
  pauseMs = 0;

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response);

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abandoned = new Promise<void>((resolve) => {
      response.on("close", () => !response.writableFinished && resolve());
    });
    const body = await text(request);
    const { method = "", url: target = "", headers } = request;
    const { pathname } = new URL(target, "http://x");
    const [, model, verb] = googlePath.exec(pathname) ?? [];
    const sent = body === "" ? undefined : JSON.parse(body);
    const json = verb === undefined ? sent : { ...sent, model, stream: verb.startsWith("stream") };
    this.calls.push({ method, target, headers, body, json, abandoned });
    const fault = this.faults.shift();
    if (fault === "silence") return;
    if (fault === "hang-up") return void request.socket.destroy();
    if (typeof fault === "object") return this.#fail(response, fault);
    const render = renderers.get(verb ?? pathname.replace(/^\/v1/, ""));
    if (!render) return this.#fail(response, { status: 404 });
    const scripted = json.tools?.length ? this.#nextOfTask(body) : undefined;
    await this.#answer(response, { render, json, fault, scripted });
  }

  #fail(
    response: ServerResponse,
    { status, headers, message = `the backend says ${status}` }: Exclude<Fault, string>,
  ): void {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ error: { message, type: "backend_error" } }));
  }

  #nextOfTask(body: string): ModelAnswer | undefined {
    const [, answers] = [...this.tasks].find(([words]) => body.includes(words)) ?? [];
    return answers?.shift();
  }

  async #answer(
    response: ServerResponse,
    {
      render,
      json,
      fault,
      scripted,
    }: {
      render: Render;
      json: { model: string; stream?: boolean };
      fault: Fault | undefined;
      scripted: ModelAnswer | undefined;
    },
  ): Promise<void> {
    const answer = scripted ?? this.answers.shift() ?? { text: `Hello from ${json.model}.` };
    const rendered = render(answer, json);
    if (!json.stream) {
      response.writeHead(200, { "content-type": "application/json", "x-request-id": "req-1", "set-cookie": "a=b" });
      response.end(JSON.stringify(rendered.whole));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const [index, event] of rendered.events.entries()) {
      if (response.destroyed) return;
      if (index === 2 && fault === "stall") return;
      await new Promise((resolve) => response.write(event, resolve));
      if (index === 1 && fault === "break-off") return void response.destroy();
      if (this.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    response.end();
  }
}
