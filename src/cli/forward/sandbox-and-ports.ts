/** Words that name ports and at most one sandbox, in any order: the published CLI has the port first. */
import { usageFailure } from "../command-failure.ts";
import { looksLikePort, type PortSpec, portSpec } from "./port-spec.ts";

/** Throws CommandFailure (usage). */
export function sandboxAndPorts(words: readonly string[]): {
  readonly specs: readonly PortSpec[];
  readonly name: string | undefined;
} {
  const names = words.filter((word) => !looksLikePort(word));
  if (names.length > 1) throw usageFailure(`"${names[0]}" and "${names[1]}" can't both be the sandbox's name`);
  const specs = words.filter(looksLikePort).map((word) => {
    const meaning = portSpec(word);
    if (!meaning.ok) throw usageFailure(`a port ${meaning.problem}`);
    return meaning.value;
  });
  return { specs, name: names[0] };
}
