/**
 * What Chat Completions, Responses and Messages have in common: a conversation, a model's reply to it, and the reply as it
 * comes. Each dialect is read into this form and written from it. What the form has no place for can't be translated,
 * and is refused by its name; nothing is left out in silence, but for the hints that each reader lists.
 */

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: "auto" | "none" | "required" | { readonly name: string };
  readonly parallelTools?: boolean;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  /** A wish for how long to think. */
  readonly effort?: string;
  readonly format?: AnswerFormat;
  readonly stream: boolean;
}

export type Turn =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly parts: readonly UserPart[] }
  | { readonly role: "assistant"; readonly parts: readonly ReplyPart[] };

export type UserPart = TextPart | ImagePart | FilePart | ToolResultPart;

/** What a tool gave; words alone are one part. */
export interface ToolResultPart {
  readonly kind: "tool-result";
  readonly id: string;
  readonly parts: readonly (TextPart | ImagePart | FilePart)[];
}

/** A URL, maybe of the scheme `data:`. */
export interface ImagePart {
  readonly kind: "image";
  readonly url: string;
}

/** A document for the model to read: a URL, maybe of the scheme `data:`. */
export interface FilePart {
  readonly kind: "file";
  readonly url: string;
  readonly name?: string;
}

export interface TextPart {
  readonly kind: "text";
  readonly text: string;
}

/** `arguments` is JSON text, as the model wrote it. */
export interface ToolCallPart {
  readonly kind: "tool-call";
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export type ReplyPart = TextPart | ToolCallPart;

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema. */
  readonly parameters: unknown;
  readonly strict?: boolean;
}

export type AnswerFormat =
  | { readonly kind: "json" }
  | { readonly kind: "json-schema"; readonly name: string; readonly schema: unknown; readonly strict?: boolean };

export type StopReason = "end" | "length" | "tool" | "stop-sequence" | "refusal";

export interface TokenCounts {
  readonly input?: number;
  readonly output?: number;
  /** What of the input came out of a cache. */
  readonly cached?: number;
  /** What of the output was thought, and not said. */
  readonly reasoning?: number;
}

export interface Reply {
  readonly id: string;
  readonly model: string;
  readonly parts: readonly ReplyPart[];
  readonly stop: StopReason;
  readonly usage: TokenCounts;
}

/** A reply as it comes. Tool calls come one after the other, arguments after the start of theirs. */
export type ReplyEvent =
  | { readonly kind: "start"; readonly id: string; readonly model: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool-start"; readonly id: string; readonly name: string }
  | { readonly kind: "tool-arguments"; readonly text: string }
  | { readonly kind: "usage"; readonly usage: TokenCounts }
  | { readonly kind: "stop"; readonly reason: StopReason }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly message: string };

/** A tool's result where it is words alone; undefined where there are images or files in it. */
export function resultText({ parts }: ToolResultPart): string | undefined {
  const texts = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
  return texts.length === parts.length ? texts.join("\n") : undefined;
}

/** Thrown by readers and writers, and caught where translation begins. The message names what can't be translated. */
export class Untranslatable extends Error {}
