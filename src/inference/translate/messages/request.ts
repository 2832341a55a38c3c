/** A Messages request ↔ a conversation. */
import {
  type AnswerFormat,
  type Conversation,
  type ReplyPart,
  resultText,
  type Tool,
  type ToolResultPart,
  type Turn,
  Untranslatable,
  type UserPart,
} from "../conversation.ts";
import { defined, Fields, texts } from "../fields.ts";
import { readDocument, readImage, writeDocument, writeImage } from "./attachments.ts";

/** What is said about the request, and not to the model; and how a long context is to be trimmed, which then stays long. */
const hints = ["model", "metadata", "service_tier", "context_management", "inference_geo", "speed"];

/** A model's own notes, which only the model that wrote them can read. */
const thoughts: ReadonlySet<string> = new Set(["thinking", "redacted_thinking"]);

/** Messages wants a limit; who gives none means the model's. This is the most that all of its models take. */
const defaultMaxTokens = 8192;

/** OpenAI's scale goes to 2. What lies above is not the same as this. */
const highestTemperature = 1;

/** Tokens for thinking up to which an effort is the lower one. */
const efforts: readonly (readonly [upTo: number, effort: string])[] = [
  [4096, "low"],
  [16_384, "medium"],
  [Number.POSITIVE_INFINITY, "high"],
];

export function readRequest(json: unknown): Conversation {
  const fields = new Fields(json, "");
  fields.hints(...hints);
  const system = readSystem(fields, "system");
  const output = fields.object("output_config");
  const { toolChoice, parallelTools } = readToolChoice(fields.object("tool_choice"));
  const conversation = defined({
    turns: [...system, ...fields.objects("messages").flatMap(readMessage)],
    tools: fields.objects("tools").map(readTool),
    toolChoice,
    parallelTools,
    maxTokens: fields.number("max_tokens"),
    temperature: fields.number("temperature"),
    topP: fields.number("top_p"),
    stop: texts(fields.take("stop_sequences"), "stop_sequences"),
    effort: readThinking(fields.object("thinking")) ?? readEffort(output),
    format: readFormat(output?.object("format")),
    stream: fields.boolean("stream") ?? false,
  });
  output?.done();
  fields.done();
  return conversation as Conversation;
}

/** Instructions, in one piece or several: before all messages (`system`), or between them as newer clients send them. */
function readSystem(holder: Fields, name: "system" | "content"): readonly Turn[] {
  const system = holder.take(name);
  if (system === undefined) return [];
  if (typeof system === "string") return [{ role: "system", text: system }];
  if (!Array.isArray(system)) throw holder.refusal(name);
  return system.map((block, index) => {
    const fields = new Fields(block, `${holder.pathOf(name)}[${index}]`);
    const type = fields.needText("type");
    if (type !== "text") throw unknownType(fields, type);
    return { role: "system", text: readText(fields) };
  });
}

function readMessage(message: Fields): readonly Turn[] {
  const role = message.needText("role");
  const turns = role === "system" ? readSystem(message, "content") : [readSaid(message, role)];
  message.done();
  return turns;
}

function readSaid(message: Fields, role: string): Turn {
  const content = message.take("content");
  if (role !== "user" && role !== "assistant") throw message.refusal("role");
  if (typeof content === "string") return { role, parts: [{ kind: "text", text: content }] };
  if (!Array.isArray(content)) throw message.refusal("content");
  const blocks = content
    .map((block, index) => new Fields(block, `${message.pathOf("content")}[${index}]`))
    .map((block) => ({ block, type: block.needText("type") }))
    .filter(({ type }) => !thoughts.has(type));
  return role === "user"
    ? { role, parts: blocks.map(({ block, type }) => readUserBlock(block, type)) }
    : { role, parts: blocks.map(({ block, type }) => readAssistantBlock(block, type)) };
}

function readUserBlock(block: Fields, type: string): UserPart {
  switch (type) {
    case "text":
      return { kind: "text", text: readText(block) };
    case "image":
      return readImage(block);
    case "document":
      return readDocument(block);
    case "tool_result": {
      // That it failed is in the text as well.
      block.hints("is_error", "cache_control");
      const part = { kind: "tool-result", id: block.needText("tool_use_id"), parts: readResult(block) } as const;
      block.done();
      return part;
    }
    default:
      throw unknownType(block, type);
  }
}

function readAssistantBlock(block: Fields, type: string): ReplyPart {
  if (type === "text") return { kind: "text", text: readText(block) };
  if (type !== "tool_use") throw unknownType(block, type);
  block.hints("cache_control", "caller");
  const part = {
    kind: "tool-call",
    id: block.needText("id"),
    name: block.needText("name"),
    arguments: JSON.stringify(block.take("input") ?? {}),
  } as const;
  block.done();
  return part;
}

function unknownType(block: Fields, type: string): Untranslatable {
  return new Untranslatable(`${block.pathOf("type")} ${type} can't be translated`);
}

function readText(block: Fields): string {
  block.hints("type", "cache_control", "citations");
  const text = block.needText("text");
  block.done();
  return text;
}

function readResult(block: Fields): ToolResultPart["parts"] {
  const content = block.take("content") ?? "";
  if (typeof content === "string") return [{ kind: "text", text: content }];
  if (!Array.isArray(content)) throw block.refusal("content");
  return content.map((item, index) => {
    const part = new Fields(item, `${block.pathOf("content")}[${index}]`);
    const type = part.needText("type");
    if (type === "image") return readImage(part);
    if (type === "document") return readDocument(part);
    if (type !== "text") throw unknownType(part, type);
    return { kind: "text", text: readText(part) };
  });
}

function readTool(tool: Fields): Tool {
  // Others are run by Anthropic's own servers.
  tool.neutral("type", "custom");
  tool.hints("cache_control", "eager_input_streaming", "input_examples");
  const read = defined({
    name: tool.needText("name"),
    description: tool.text("description"),
    parameters: tool.take("input_schema"),
    strict: tool.boolean("strict"),
  });
  tool.done();
  return read as Tool;
}

function readToolChoice(choice: Fields | undefined): Pick<Conversation, "toolChoice" | "parallelTools"> {
  if (choice === undefined) return {};
  const type = choice.needText("type");
  const name = choice.text("name");
  const single = choice.boolean("disable_parallel_tool_use");
  choice.done();
  const parallel = single === undefined ? {} : { parallelTools: !single };
  if (type === "auto" || type === "none") return { toolChoice: type, ...parallel };
  if (type === "any") return { toolChoice: "required", ...parallel };
  if (type === "tool" && name !== undefined) return { toolChoice: { name }, ...parallel };
  throw choice.refusal("type");
}

function readThinking(thinking: Fields | undefined): string | undefined {
  if (thinking?.needText("type") !== "enabled") return undefined;
  const budget = thinking.number("budget_tokens") ?? 0;
  return efforts.find(([upTo]) => budget <= upTo)?.[1];
}

function readEffort(output: Fields | undefined): string | undefined {
  const effort = output?.text("effort");
  return effort === "max" ? "high" : effort;
}

function readFormat(format: Fields | undefined): AnswerFormat | undefined {
  if (format === undefined) return undefined;
  if (format.needText("type") !== "json_schema") throw format.refusal("type");
  return { kind: "json-schema", name: "answer", schema: format.take("schema") ?? {} };
}

export function writeRequest(conversation: Conversation, { model }: { readonly model: string }): object {
  const { turns, tools, format, temperature } = conversation;
  const firstSaid = turns.findIndex(({ role }) => role !== "system");
  const system = turns.slice(0, firstSaid === -1 ? turns.length : firstSaid);
  if (format?.kind === "json") throw new Untranslatable("an answer in JSON without a schema can't be translated");
  if (temperature !== undefined && temperature > highestTemperature)
    throw new Untranslatable(
      `temperature ${temperature} can't be translated: it is at most ${highestTemperature} there`,
    );
  // How long to think is not passed on: Messages would want the thoughts back, which no other dialect carries.
  return defined({
    model,
    max_tokens: conversation.maxTokens ?? defaultMaxTokens,
    system: system.length > 0 ? system.map((turn) => ({ type: "text", text: systemText(turn) })) : undefined,
    messages: merged(turns.slice(system.length)),
    tools: tools.length > 0 ? tools.map(writeTool) : undefined,
    tool_choice: tools.length > 0 ? writeToolChoice(conversation) : undefined,
    temperature,
    top_p: conversation.topP,
    stop_sequences: conversation.stop,
    output_config: format && { format: { type: "json_schema", schema: format.schema } },
    stream: conversation.stream,
  });
}

function systemText(turn: Turn): string {
  return turn.role === "system" ? turn.text : "";
}

/** Turns of the same side become one message: results of tools must all be in the one that follows the calls. */
function merged(turns: readonly Turn[]): readonly object[] {
  const messages: { readonly role: string; readonly content: object[] }[] = [];
  for (const turn of turns) {
    if (turn.role === "system") throw new Untranslatable("a system message in the middle can't be translated");
    const content = turn.parts.flatMap(writePart);
    const last = messages.at(-1);
    if (last?.role === turn.role) last.content.push(...content);
    else if (content.length > 0) messages.push({ role: turn.role, content });
  }
  return messages;
}

function writePart(part: UserPart | ReplyPart): readonly object[] {
  switch (part.kind) {
    case "text":
      // An empty text is refused.
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "image":
      return [writeImage(part)];
    case "file":
      return [writeDocument(part)];
    case "tool-result":
      return [
        { type: "tool_result", tool_use_id: part.id, content: resultText(part) ?? part.parts.flatMap(writePart) },
      ];
    case "tool-call":
      return [{ type: "tool_use", id: part.id, name: part.name, input: toolInput(part.arguments) }];
    default:
      return part satisfies never;
  }
}

/** Arguments as the object that they are here. */
export function toolInput(text: string): object {
  try {
    const input: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Said below, as for what is JSON and no object.
  }
  throw new Untranslatable("arguments of a tool call that are no JSON object can't be translated");
}

function writeTool({ name, description, parameters, strict }: Tool): object {
  return defined({ name, description, input_schema: parameters ?? { type: "object" }, strict });
}

function writeToolChoice({ toolChoice, parallelTools }: Conversation): object | undefined {
  const single = parallelTools === false ? { disable_parallel_tool_use: true } : {};
  if (typeof toolChoice === "object") return { type: "tool", name: toolChoice.name, ...single };
  if (toolChoice === "none") return { type: "none" };
  if (toolChoice === undefined && parallelTools !== false) return undefined;
  return { type: toolChoice === "required" ? "any" : "auto", ...single };
}
