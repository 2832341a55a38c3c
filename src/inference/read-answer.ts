/** Whether an answer is a model's, and what it says: strict, where translation is lenient, because somebody wants to know. */
import type { Dialect } from "./dialects.ts";
import { type Served, UsageFollower } from "./usage.ts";

export interface ModelAnswer {
  /** Its words; empty for a model that thought and said nothing. */
  readonly text: string;
  readonly served: Served;
}

type Json = Readonly<Record<string, unknown>>;

/** Undefined for what is no whole answer of this dialect. */
export function readModelAnswer(dialect: Dialect, body: string): ModelAnswer | undefined {
  const text = wordsIn(dialect, parsed(body));
  if (text === undefined) return undefined;
  const follower = new UsageFollower("json");
  follower.push(Buffer.from(body));
  return { text, served: follower.finish() };
}

function wordsIn(dialect: Dialect, answer: Json): string | undefined {
  switch (dialect) {
    case "openai_chat_completions": {
      const message = asObject(asList(answer["choices"])?.[0])?.["message"];
      return asObject(message) && textOf([asObject(message)?.["content"]]);
    }
    case "openai_responses": {
      const items = asList(answer["output"]);
      return items && textOf(items.flatMap((item) => asList(asObject(item)?.["content"])?.map(partText) ?? []));
    }
    case "anthropic_messages":
      return answer["role"] === "assistant" ? partsText(answer["content"]) : undefined;
    default:
      return undefined;
  }
}

function partsText(content: unknown): string | undefined {
  const parts = asList(content);
  return parts && textOf(parts.map(partText));
}

function partText(part: unknown): unknown {
  return asObject(part)?.["text"];
}

function textOf(texts: readonly unknown[]): string {
  return texts.filter((text) => typeof text === "string").join("");
}

function asList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function parsed(body: string): Json {
  try {
    return asObject(JSON.parse(body)) ?? {};
  } catch {
    return {};
  }
}
