/** A Responses request ↔ a conversation. Only what is in the request: there is nobody here who keeps earlier ones. */
import {
  type AnswerFormat,
  type Conversation,
  type FilePart,
  type ImagePart,
  type ReplyPart,
  resultText,
  type TextPart,
  type Tool,
  type Turn,
  Untranslatable,
  type UserPart,
} from "../conversation.ts";
import { defined, Fields } from "../fields.ts";
import {
  plainText,
  readContent,
  readFileData,
  readFormat,
  readFunction,
  readToolChoice,
  writeFileData,
} from "../openai-members.ts";

/** What is said about the request, and not to the model. */
const hints = [
  "model",
  "user",
  "metadata",
  "client_metadata",
  "store",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "safety_identifier",
  "stream_options",
  "truncation",
];

export function readRequest(json: unknown): Conversation {
  const fields = new Fields(json, "");
  fields.hints(...hints);
  fields.neutral("background", false);
  // Encrypted thoughts are for the model that thought them; who gets none sends none back.
  const include = fields.take("include");
  if (Array.isArray(include) && include.some((item) => item !== "reasoning.encrypted_content"))
    throw fields.refusal("include");
  const instructions = fields.text("instructions");
  const reasoning = fields.object("reasoning");
  reasoning?.hints("summary", "generate_summary");
  const text = fields.object("text");
  text?.hints("verbosity");
  const conversation = defined({
    turns: [
      ...(instructions === undefined ? [] : [{ role: "system", text: instructions } as const]),
      ...readInput(fields),
    ],
    tools: fields.objects("tools").map(readTool),
    toolChoice: readToolChoice(fields.take("tool_choice"), (choice) => choice.needText("name")),
    parallelTools: fields.boolean("parallel_tool_calls"),
    maxTokens: fields.number("max_output_tokens"),
    temperature: fields.number("temperature"),
    topP: fields.number("top_p"),
    effort: reasoning?.text("effort"),
    format: readFormat(text?.object("format"), (format) => format),
    stream: fields.boolean("stream") ?? false,
  });
  reasoning?.done();
  text?.done();
  fields.done();
  return conversation as Conversation;
}

function readInput(fields: Fields): readonly Turn[] {
  const input = fields.take("input");
  if (typeof input === "string") return [{ role: "user", parts: [{ kind: "text", text: input }] }];
  if (!Array.isArray(input)) throw fields.refusal("input");
  return joined(input.flatMap((item, index) => readItem(new Fields(item, `input[${index}]`))));
}

/** Words and calls are items of their own here; elsewhere what the model said at once is one turn, and so are its results. */
function joined(turns: readonly Turn[]): readonly Turn[] {
  const whole: Turn[] = [];
  for (const turn of turns) {
    const last = whole.at(-1);
    if (turn.role === "assistant" && last?.role === "assistant") {
      whole[whole.length - 1] = { role: "assistant", parts: [...last.parts, ...turn.parts] };
    } else whole.push(turn);
  }
  return whole;
}

function readItem(item: Fields): readonly Turn[] {
  const type = item.text("type") ?? "message";
  // The last is a client's own, and for its own use.
  item.hints("id", "status", "internal_chat_message_metadata_passthrough");
  switch (type) {
    case "message":
      return [readMessage(item)];
    case "function_call": {
      const call = {
        kind: "tool-call",
        id: item.needText("call_id"),
        name: item.needText("name"),
        arguments: item.text("arguments") ?? "",
      } as const;
      item.done();
      return [{ role: "assistant", parts: [call] }];
    }
    case "function_call_output": {
      const result = {
        kind: "tool-result",
        id: item.needText("call_id"),
        parts: readContent(item, "output", readPart),
      } as const;
      item.done();
      return [{ role: "user", parts: [result] }];
    }
    case "reasoning":
      return [];
    default:
      throw new Untranslatable(`${item.pathOf("type")} ${type} can't be translated`);
  }
}

function readMessage(item: Fields): Turn {
  item.hints("phase");
  const role = item.needText("role");
  if (role === "user") {
    const parts = readContent(item, "content", readPart);
    item.done();
    return { role, parts };
  }
  const text = plainText(item, "content", readPart);
  item.done();
  if (role === "assistant") return { role, parts: [{ kind: "text", text }] };
  if (role === "system" || role === "developer") return { role: "system", text };
  throw item.refusal("role");
}

function readPart(part: Fields): TextPart | ImagePart | FilePart {
  const type = part.needText("type");
  part.hints("annotations", "logprobs", "detail");
  const read = partOf(part, type);
  part.done();
  return read;
}

function partOf(part: Fields, type: string): TextPart | ImagePart | FilePart {
  switch (type) {
    case "input_text":
    case "output_text":
      return { kind: "text", text: part.needText("text") };
    case "refusal":
      return { kind: "text", text: part.needText("refusal") };
    case "input_image":
      return { kind: "image", url: part.needText("image_url") };
    case "input_file":
      return readFileData(part) ?? { kind: "file", url: part.needText("file_url") };
    default:
      throw new Untranslatable(`${part.pathOf("type")} ${type} can't be translated`);
  }
}

function readTool(tool: Fields): Tool {
  const type = tool.needText("type");
  if (type !== "function") throw new Untranslatable(`${tool.pathOf("type")} ${type} can't be translated`);
  return readFunction(tool);
}

export function writeRequest(conversation: Conversation, { model }: { readonly model: string }): object {
  const { toolChoice, format, tools, effort } = conversation;
  if (conversation.stop !== undefined && conversation.stop.length > 0)
    throw new Untranslatable("stop sequences can't be translated");
  return defined({
    model,
    input: conversation.turns.flatMap(writeTurn),
    // Unless it is said, Responses makes schemas strict, which others do not.
    tools:
      tools.length > 0 ? tools.map((tool) => ({ type: "function", ...tool, strict: tool.strict ?? false })) : undefined,
    tool_choice: typeof toolChoice === "object" ? { type: "function", name: toolChoice.name } : toolChoice,
    parallel_tool_calls: tools.length > 0 ? conversation.parallelTools : undefined,
    max_output_tokens: conversation.maxTokens,
    temperature: conversation.temperature,
    top_p: conversation.topP,
    reasoning: effort === undefined ? undefined : { effort },
    text: format && { format: writeFormat(format) },
    stream: conversation.stream,
    store: false,
  });
}

function writeTurn(turn: Turn): readonly object[] {
  switch (turn.role) {
    case "system":
      return [{ type: "message", role: "developer", content: turn.text }];
    case "user":
      return writeUser(turn.parts);
    case "assistant":
      return turn.parts.map(writeReplyPart);
    default:
      return turn satisfies never;
  }
}

function writeUser(parts: readonly UserPart[]): readonly object[] {
  const results = parts.filter((part) => part.kind === "tool-result");
  const content = parts.filter((part) => part.kind !== "tool-result").map(writePart);
  return [
    ...results.map((result) => {
      const output = resultText(result) ?? result.parts.map(writePart);
      return { type: "function_call_output", call_id: result.id, output };
    }),
    ...(content.length > 0 ? [{ type: "message", role: "user", content }] : []),
  ];
}

function writePart(part: TextPart | ImagePart | FilePart): object {
  switch (part.kind) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return { type: "input_image", image_url: part.url };
    case "file":
      return { type: "input_file", ...(writeFileData(part) ?? { file_url: part.url }) };
    default:
      return part satisfies never;
  }
}

function writeReplyPart(part: ReplyPart): object {
  if (part.kind === "text") {
    return { type: "message", role: "assistant", content: [{ type: "output_text", text: part.text }] };
  }
  return { type: "function_call", call_id: part.id, name: part.name, arguments: part.arguments };
}

function writeFormat(format: AnswerFormat): object {
  if (format.kind === "json") return { type: "json_object" };
  const { name, schema, strict } = format;
  return defined({ type: "json_schema", name, schema, strict });
}
