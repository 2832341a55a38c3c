/**
 * Results of tools in Chat Completions, which are words alone (`ChatCompletionRequestToolMessage`). A picture or file of theirs
 * goes into the user's message behind them, and a mark stands in its place and before it, so that the model knows whose it is.
 */
import type { FilePart, ImagePart, TextPart, ToolResultPart, Turn } from "../conversation.ts";

/** All results behind a call in one turn: a user's message between two of them is refused. */
export function resultsTogether(turns: readonly Turn[]): readonly Turn[] {
  const together: Turn[] = [];
  for (const turn of turns) {
    const last = together.at(-1);
    if (turn.role === "user" && last?.role === "user" && last.parts.every(({ kind }) => kind === "tool-result")) {
      together[together.length - 1] = { role: "user", parts: [...last.parts, ...turn.parts] };
    } else together.push(turn);
  }
  return together;
}

export function toolMessage(result: ToolResultPart): object {
  const words = marked(result).map(({ part, mark }) => (part.kind === "text" ? part.text : mark));
  return { role: "tool", tool_call_id: result.id, content: words.join("\n") };
}

/** What the user's message begins with: each picture and file behind its mark. */
export function attachmentsOf(result: ToolResultPart): readonly (TextPart | ImagePart | FilePart)[] {
  return marked(result).flatMap(({ part, mark }) => (part.kind === "text" ? [] : [{ kind: "text", text: mark }, part]));
}

interface Marked {
  readonly part: ToolResultPart["parts"][number];
  readonly mark: string;
}

function marked({ id, parts }: ToolResultPart): readonly Marked[] {
  const counts = { image: 0, file: 0 };
  return parts.map((part) => ({
    part,
    mark: part.kind === "text" ? "" : `[${part.kind} ${++counts[part.kind]} of ${id}]`,
  }));
}
