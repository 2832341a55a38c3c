import { usageFailure } from "../../command-failure.ts";

export function requiredSubject(subject: string | undefined): string {
  if (subject === undefined) throw usageFailure("say who with --subject");
  return subject;
}
