/** A Chat Completions request ↔ a conversation. */
import {
  type AnswerFormat,
  type Conversation,
  type ReplyPart,
  type Tool,
  type Turn,
  Untranslatable,
  type UserPart,
} from "../conversation.ts";
import { defined, Fields, texts } from "../fields.ts";
import { plainText, readContent, readFileData, readFormat, readFunction, readToolChoice } from "../openai-members.ts";
import { writePart } from "./parts.ts";
import { attachmentsOf, resultsTogether, toolMessage } from "./tool-results.ts";

/** What is said about the request, and not to the model. */
const hints = [
  "model",
  "user",
  "metadata",
  "store",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "stream_options",
  "verbosity",
];

export function readRequest(json: unknown): Conversation {
  const fields = new Fields(json, "");
  fields.hints(...hints);
  fields.neutral("n", 1);
  fields.neutral("logprobs", false);
  fields.neutral("presence_penalty", 0);
  fields.neutral("frequency_penalty", 0);
  const newerLimit = fields.number("max_completion_tokens");
  const olderLimit = fields.number("max_tokens");
  const conversation = defined({
    turns: fields.objects("messages").flatMap(readMessage),
    tools: fields.objects("tools").map(readTool),
    toolChoice: readToolChoice(fields.take("tool_choice"), (choice) => choice.object("function")?.needText("name")),
    parallelTools: fields.boolean("parallel_tool_calls"),
    maxTokens: newerLimit ?? olderLimit,
    temperature: fields.number("temperature"),
    topP: fields.number("top_p"),
    stop: texts(fields.take("stop"), "stop"),
    effort: fields.text("reasoning_effort"),
    format: readFormat(fields.object("response_format"), (format) => format.object("json_schema")),
    stream: fields.boolean("stream") ?? false,
  });
  fields.done();
  return conversation as Conversation;
}

function readMessage(message: Fields): readonly Turn[] {
  const role = message.needText("role");
  const turn = readTurn(role, message);
  message.done();
  return turn;
}

function readTurn(role: string, message: Fields): readonly Turn[] {
  switch (role) {
    case "system":
    case "developer":
      return [{ role: "system", text: plainText(message, "content", readPart) }];
    case "user":
      return [{ role: "user", parts: readContent(message, "content", readPart) }];
    case "tool":
      return [
        {
          role: "user",
          parts: [
            {
              kind: "tool-result",
              id: message.needText("tool_call_id"),
              parts: [{ kind: "text", text: plainText(message, "content", readPart) }],
            },
          ],
        },
      ];
    case "assistant": {
      // What a model thought is for the model that thought it.
      message.hints("reasoning_content", "reasoning", "refusal", "annotations");
      const text = plainText(message, "content", readPart);
      const calls = message.objects("tool_calls").map(readToolCall);
      return [{ role: "assistant", parts: [...(text === "" ? [] : [{ kind: "text", text } as const]), ...calls] }];
    }
    default:
      throw message.refusal("role");
  }
}

function readToolCall(call: Fields): ReplyPart {
  call.neutral("type", "function");
  call.hints("index");
  const id = call.needText("id");
  const called = call.object("function");
  if (called === undefined) throw call.refusal("function");
  const part = {
    kind: "tool-call",
    id,
    name: called.needText("name"),
    arguments: called.text("arguments") ?? "",
  } as const;
  called.done();
  call.done();
  return part;
}

function readPart(part: Fields): UserPart {
  const type = part.needText("type");
  if (type === "image_url") {
    const image = part.object("image_url");
    if (image === undefined) throw part.refusal("image_url");
    image.hints("detail");
    const url = image.needText("url");
    image.done();
    part.done();
    return { kind: "image", url };
  }
  if (type === "file") return readFile(part);
  if (type !== "text") throw new Untranslatable(`${part.pathOf("type")} ${type} can't be translated`);
  part.hints("cache_control");
  const text = part.needText("text");
  part.done();
  return { kind: "text", text };
}

function readFile(part: Fields): UserPart {
  const described = part.object("file");
  if (described === undefined) throw part.refusal("file");
  const file = readFileData(described);
  described.done();
  part.done();
  if (file === undefined) throw part.refusal("file");
  return file;
}

function readTool(tool: Fields): Tool {
  if (tool.needText("type") !== "function") throw tool.refusal("type");
  const described = tool.object("function");
  if (described === undefined) throw tool.refusal("function");
  tool.done();
  return readFunction(described);
}

/** @param tokenLimit what the backend calls the limit: OpenAI's newer models refuse the older name, others know no other */
export function writeRequest(
  conversation: Conversation,
  { model, tokenLimit }: { readonly model: string; readonly tokenLimit: "max_tokens" | "max_completion_tokens" },
): object {
  const { toolChoice, format } = conversation;
  return defined({
    model,
    messages: resultsTogether(conversation.turns).flatMap(writeTurn),
    tools:
      conversation.tools.length > 0
        ? conversation.tools.map((tool) => ({ type: "function", function: tool }))
        : undefined,
    tool_choice: typeof toolChoice === "object" ? { type: "function", function: toolChoice } : toolChoice,
    parallel_tool_calls: conversation.tools.length > 0 ? conversation.parallelTools : undefined,
    [tokenLimit]: conversation.maxTokens,
    temperature: conversation.temperature,
    top_p: conversation.topP,
    stop: conversation.stop,
    reasoning_effort: conversation.effort,
    response_format: format && writeFormat(format),
    stream: conversation.stream,
    // What was used is said in a stream only to who asks.
    stream_options: conversation.stream ? { include_usage: true } : undefined,
  });
}

function writeTurn(turn: Turn): readonly object[] {
  switch (turn.role) {
    case "system":
      return [{ role: "system", content: turn.text }];
    case "user":
      return writeUser(turn.parts);
    case "assistant":
      return [writeAssistant(turn.parts)];
    default:
      return turn satisfies never;
  }
}

/** Results of tools are messages of their own, and come first: they answer what the assistant said last. */
function writeUser(parts: readonly UserPart[]): readonly object[] {
  const results = parts.filter((part) => part.kind === "tool-result");
  const said = [...results.flatMap(attachmentsOf), ...parts.filter((part) => part.kind !== "tool-result")];
  const [first, ...others] = said;
  const content = first?.kind === "text" && others.length === 0 ? first.text : said.map(writePart);
  return [...results.map(toolMessage), ...(said.length > 0 ? [{ role: "user", content }] : [])];
}

function writeAssistant(parts: readonly ReplyPart[]): object {
  const text = parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("");
  const calls = parts.flatMap((part) => (part.kind === "tool-call" ? [writeToolCall(part)] : []));
  return defined({
    role: "assistant",
    content: text === "" && calls.length > 0 ? null : text,
    tool_calls: calls.length > 0 ? calls : undefined,
  });
}

export function writeToolCall({ id, name, arguments: text }: Extract<ReplyPart, { kind: "tool-call" }>): object {
  return { id, type: "function", function: { name, arguments: text } };
}

function writeFormat(format: AnswerFormat): object {
  if (format.kind === "json") return { type: "json_object" };
  const { name, schema, strict } = format;
  return { type: "json_schema", json_schema: defined({ name, schema, strict }) };
}
