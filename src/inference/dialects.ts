/**
 * The languages in which models are asked, by the names that the published system has for them. A dialect is one kind of
 * request with its answer; who speaks `openai_responses` need not speak `openai_chat_completions`.
 */

export const dialects = [
  "openai_chat_completions",
  "openai_completions",
  "openai_responses",
  "openai_embeddings",
  "anthropic_messages",
  "aws_bedrock_invoke",
] as const;

export type Dialect = (typeof dialects)[number];

export function isDialect(text: string): text is Dialect {
  return (dialects as readonly string[]).includes(text);
}
