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
  const continuations = new Map<string, readonly string[]>([["", Object.keys(table)]]);
  for (const [noun, entry] of Object.entries(table)) {
    if (entry.kind === "single") {
      continuations.set(noun, flagWords((await entry.load()).command.flags));
      continue;
    }
    continuations.set(noun, Object.keys(entry.verbs));
    for (const [verb, load] of Object.entries(entry.verbs)) {
      continuations.set(`${noun} ${verb}`, flagWords((await load()).command.flags));
    }
  }
  return continuations;
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
    case $word in -*) ;; *) [ "$(wc -w <<<"$words")" -lt 2 ] && words="\${words:+$words }$word" ;; esac
  done
  case $words in
${cases.join("\n")}
    *) case \${words%% *} in
${singles(continuations)}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$next" -- "$current"))
}
complete -o default -F _openshell openshell
`;
}

/** A command of one word takes a name after it, and still has its flags. */
function singles(continuations: Continuations): string {
  return [...continuations]
    .filter(([words, next]) => !words.includes(" ") && next[0]?.startsWith("--"))
    .map(([words, next]) => `      ${words}) next="${next.join(" ")}" ;;`)
    .join("\n");
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
