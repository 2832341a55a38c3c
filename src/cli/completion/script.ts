/**
 * Completion scripts, made from the command definitions: nouns, verbs and flags.
 */
import type { Group, Single } from "../command-table.ts";
import type { Flag, Flags } from "../flags/flag.ts";
import { globalFlags } from "../flags/global-flags.ts";

type Table = Readonly<Record<string, Group | Single>>;

/** What may follow some words: `""` for the beginning, `sandbox`, `sandbox create`. */
type Continuations = ReadonlyMap<string, readonly string[]>;

export async function completionScript(shell: "bash" | "zsh" | "fish", table: Table): Promise<string> {
  const continuations = await collect(table);
  switch (shell) {
    case "bash":
      return bashScript(continuations);
    case "zsh":
      // zsh runs bash's completion functions by itself.
      return `autoload -Uz bashcompinit && bashcompinit\n${bashScript(continuations)}`;
    case "fish":
      return fishScript(continuations);
    default:
      return shell satisfies never;
  }
}

async function collect(table: Table): Promise<Continuations> {
  const continuations = new Map([["", Object.keys(table)]]);
  for (const [noun, entry] of Object.entries(table)) {
    if (entry.kind === "single") {
      continuations.set(noun, flagWords((await entry.load()).command.flags));
      continue;
    }
    for (const [verb, load] of Object.entries(entry.verbs)) {
      const words = [noun, ...verb.split(" ")];
      for (const [at, word] of words.entries()) {
        if (at > 0) addWord(continuations, words.slice(0, at).join(" "), word);
      }
      continuations.set(words.join(" "), flagWords((await load()).command.flags));
    }
  }
  return continuations;
}

function addWord(continuations: Map<string, string[]>, after: string, word: string): void {
  const words = continuations.get(after) ?? [];
  if (!words.includes(word)) words.push(word);
  continuations.set(after, words);
}

function flagWords(flags: Flags): string[] {
  return Object.entries<Flag>({ ...flags, ...globalFlags })
    .filter(([, flag]) => flag.kind !== "unavailable")
    .flatMap(([name, flag]) =>
      flag.kind === "switch" && flag.negatable ? [`--${name}`, `--no-${name}`] : [`--${name}`],
    );
}

function bashScript(continuations: Continuations): string {
  const cases = [...continuations].map(([words, next]) => `    "${words}") next="${next.join(" ")}" ;;`);
  return `_openshell() {
  local current=\${COMP_WORDS[COMP_CWORD]} words="" word next=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) [ "$(wc -w <<<"$words")" -lt 3 ] && words="\${words:+$words }$word" ;; esac
  done
  while [ -z "$next" ]; do
    case $words in
${cases.join("\n")}
    # A name after the command: its flags are still the command's.
    *" "*) words=\${words% *} ;;
    *) break ;;
    esac
  done
  COMPREPLY=($(compgen -W "$next" -- "$current"))
}
complete -o default -F _openshell openshell
`;
}

function fishScript(continuations: Continuations): string {
  const lines = [...continuations].flatMap(([words, next]) =>
    next.map((word) => {
      const condition = words === "" ? "__fish_use_subcommand" : seenAll(words.split(" "));
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c openshell -n '${condition}' ${what}`;
    }),
  );
  return `${lines.join("\n")}\n`;
}

function seenAll(words: readonly string[]): string {
  return words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
}
