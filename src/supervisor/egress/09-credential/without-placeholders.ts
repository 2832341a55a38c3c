/** What is put on record of a request, without what stands for a credential in it. */
import type { RequestFacts } from "../../../policy/verdict.ts";
import type { Credentials } from "./credentials.ts";

const shown = "[credential]";

export function textWithoutPlaceholders(text: string, credentials: Credentials): string {
  if (!credentials.some) return text;
  return credentials.pattern.replace(text, (placeholder) => (credentials.of(placeholder) ? shown : undefined));
}

export function factsWithoutPlaceholders(facts: RequestFacts, credentials: Credentials): RequestFacts {
  if (!credentials.some) return facts;
  const clean = (text: string) => textWithoutPlaceholders(text, credentials);
  return { ...facts, path: clean(facts.path), query: facts.query.map(([name, value]) => [clean(name), clean(value)]) };
}
