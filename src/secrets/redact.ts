/**
 * Takes out of a command line what looks like a secret, before it is logged. A command line is written by whoever runs
 * it, so this can't be complete: it knows the usual options, headers, URLs with passwords and the published shapes of
 * tokens. What it takes for a secret is replaced whole; what is left tells which program was run, and with what in mind.
 */
import { redacted } from "./secret.ts";

/** Arguments of one command that are logged. */
const shownArguments = 64;

/** Characters of a command line that are logged: enough for people, too few to fill the log with. */
const shownLength = 2048;

/** Characters of an argument that may still be the name of an option. */
const longestOption = 64;

/** Words in the name of an option or variable whose value is a secret. */
const secretName =
  /pass(?:word|wd|phrase)?$|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|^auth$|bearer/i;

/** `--name=value`, `-Dname=value` and `NAME=value`. */
const assignment = /^(-{0,2}[\w.-]+)=(.+)$/s;

/** An option that takes the next argument as its value. */
const option = /^--?([\w-]+)$/;

/** Headers whose value is a secret, as in `curl -H 'Authorization: …'`. */
const secretHeader = /^((?:proxy-)?authorization|cookie|set-cookie|[\w-]*(?:api-?key|token|secret)[\w-]*)\s*:.*$/is;

/** User and password in front of a URL's host. */
const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;

/** Values in a URL's query. */
const queryValue = /([?&][^=&#\s]{1,64}=)[^&#\s]+/g;

/** Shapes that services publish so that scanners find their tokens: GitHub, GitLab, Slack, AWS, OpenAI and the like, JWT. */
const tokenShape = new RegExp(
  // Those with a prefix like no other word's are found behind other letters too: `/botghp_…`.
  "(?:gh[opsur]_|github_pat_|gsk_|npm_|openshell_)[A-Za-z0-9_]{16,}" +
    String.raw`|\b(?:glpat-|nvapi-|sk-)[\w-]{16,}|\b(?:AIza|pypi-)[\w-]{30,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}` +
    String.raw`|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
  "g",
);

/** curl's and wget's options for a user with a password. */
const userOptions: ReadonlySet<string> = new Set(["-u", "--user", "--proxy-user", "-U"]);

/** A command line as one string, arguments joined by spaces, secrets replaced. */
export function redactCommandLine(commandLine: readonly string[]): string {
  let line = "";
  let previous = "";
  for (const [index, argument] of commandLine.entries()) {
    // The bound is checked before the patterns run: a process may name itself with megabytes.
    if (index === shownArguments || line.length > shownLength) return `${line.slice(0, shownLength)}…`;
    const shown = isSecretValue(previous, argument) ? redacted : redactArgument(argument.slice(0, shownLength));
    line += index === 0 ? shown : ` ${shown}`;
    previous = argument;
  }
  return line.length > shownLength ? `${line.slice(0, shownLength)}…` : line;
}

function isSecretValue(previous: string, argument: string): boolean {
  // Many programs have a `-u` that means something else (python3, sort); only `user:password` is worth hiding.
  if (userOptions.has(previous)) return argument.includes(":");
  const name = previous.length <= longestOption ? option.exec(previous)?.[1] : undefined;
  return name !== undefined && secretName.test(name);
}

function redactArgument(argument: string): string {
  const assigned = assignment.exec(argument);
  if (assigned?.[1] !== undefined && secretName.test(assigned[1])) return `${assigned[1]}=${redacted}`;
  const header = secretHeader.exec(argument);
  if (header) return `${header[1]}: ${redacted}`;
  return redactText(argument);
}

/** Running text with passwords and query values of URLs, and what has the shape of a token, replaced. */
export function redactText(text: string): string {
  return text.replace(userInfo, `$1${redacted}@`).replace(queryValue, `$1${redacted}`).replace(tokenShape, redacted);
}
