/** What requests of OpenAI's two APIs say in the same way, though at places of their own. */
import type { AnswerFormat, Conversation, FilePart, TextPart, Tool, UserPart } from "./conversation.ts";
import { defined, Fields } from "./fields.ts";

/** A function that the model may call. */
export function readFunction(described: Fields): Tool {
  const read = defined({
    name: described.needText("name"),
    description: described.text("description"),
    parameters: described.take("parameters") ?? { type: "object", properties: {} },
    strict: described.boolean("strict"),
  });
  described.done();
  return read as Tool;
}

/** @param nameOf reads the name of the one function that is to be called */
export function readToolChoice(
  choice: unknown,
  nameOf: (fields: Fields) => string | undefined,
): Conversation["toolChoice"] {
  if (choice === undefined || choice === "auto" || choice === "none" || choice === "required") return choice;
  const fields = new Fields(choice, "tool_choice");
  if (fields.needText("type") !== "function") throw fields.refusal("type");
  const name = nameOf(fields);
  if (name === undefined) throw fields.refusal("function");
  return { name };
}

/** @param schemaOf finds the object that holds the schema and its name */
export function readFormat(
  format: Fields | undefined,
  schemaOf: (format: Fields) => Fields | undefined,
): AnswerFormat | undefined {
  const type = format?.needText("type");
  if (format === undefined || type === "text") return undefined;
  if (type === "json_object") return { kind: "json" };
  const described = type === "json_schema" ? schemaOf(format) : undefined;
  if (described === undefined) throw format.refusal("type");
  described.hints("description");
  return defined({
    kind: "json-schema",
    name: described.needText("name"),
    schema: described.take("schema") ?? {},
    strict: described.boolean("strict"),
  }) as AnswerFormat;
}

/** A file that is in the request itself; undefined where it is elsewhere, or is named by an id, which only its keeper knows. */
export function readFileData(described: Fields): FilePart | undefined {
  const url = described.text("file_data");
  if (url === undefined) return undefined;
  // What kind of file bare base64 is, nobody says.
  if (!url.startsWith("data:")) throw described.refusal("file_data");
  const name = described.text("filename");
  return { kind: "file", url, ...(name !== undefined && { name }) };
}

/** The members of a file that is in the request; undefined for one that is elsewhere. A file must have a name. */
export function writeFileData({ url, name }: FilePart): object | undefined {
  if (!url.startsWith("data:")) return undefined;
  const ending = url.startsWith("data:application/pdf") ? "pdf" : "txt";
  return { filename: name ?? `document.${ending}`, file_data: url };
}

/** Content in one piece or several. */
export function readContent<Part>(
  holder: Fields,
  name: string,
  readPart: (part: Fields) => Part,
): readonly (Part | TextPart)[] {
  const content = holder.take(name);
  if (content === undefined) return [];
  if (typeof content === "string") return [{ kind: "text", text: content }];
  if (!Array.isArray(content)) throw holder.refusal(name);
  return content.map((part, index) => readPart(new Fields(part, `${holder.pathOf(name)}[${index}]`)));
}

/** Content that must be text. */
export function plainText(holder: Fields, name: string, readPart: (part: Fields) => UserPart): string {
  return readContent(holder, name, readPart)
    .map((part) => {
      if (part.kind !== "text") throw holder.refusal(name);
      return part.text;
    })
    .join("");
}
