/** What an interpreter was started with. For the log only: a process writes its command line itself. */
import { basename } from "node:path";

/** Programs whose first argument that is no option names the script. Versions may follow: `python3.11`. */
const interpreters = /^(?:python|node|bash|sh|dash|zsh|ksh|fish|perl|ruby|php|deno|bun|lua|tclsh|Rscript|pwsh)[0-9.]*$/;

/** Options after which the program's text or a module's name follows, in place of a script. */
const noScriptAfter = new Set(["-c", "-e", "-m", "-p", "--eval", "--print"]);

/** The script that `executable` runs, if it is an interpreter and was started with one. */
export function scriptOf(executable: string, commandLine: readonly string[]): string | undefined {
  if (!interpreters.test(basename(executable))) return undefined;
  for (const argument of commandLine.slice(1)) {
    if (noScriptAfter.has(argument)) return undefined;
    if (!argument.startsWith("-")) return argument;
  }
  return undefined;
}
