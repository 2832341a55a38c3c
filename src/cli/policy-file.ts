/**
 * Policy files and their kin, checked here before anything is sent: this side has the text, and can point into it.
 */
import { readFileSync } from "node:fs";
import type { SandboxPolicyJson } from "../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { Policy } from "../policy/policy.ts";
import { formatProblem, type Problem } from "../policy/problem.ts";
import type { CommandContext } from "./command-context.ts";
import { CommandFailure } from "./command-failure.ts";
import { printableLine } from "./output/printable.ts";

/** Every policy that people write is far smaller; a device or a disk image named by mistake is not. */
const MAX_POLICY_BYTES = 4 * 1024 * 1024;

type Notes = Pick<CommandContext, "note">;

/** @returns the policy in the file as the API takes it. Otherwise like `readPolicyFile`. */
export async function loadPolicyFile(path: string, notes: Notes): Promise<SandboxPolicyJson> {
  const [policy, { policyToMessageJson }] = await Promise.all([
    readPolicyFile(path, notes),
    import("../policy/wire-json.ts"),
  ]);
  // ProtoJSON may name fields as the .proto file does (https://protobuf.dev/programming-guides/json); the generated type
  // knows only the other spelling.
  return policyToMessageJson(policy) as SandboxPolicyJson;
}

/**
 * @param path a file, or `-` for standard input's descriptor. Warnings go to standard error.
 * @returns the policy. Throws CommandFailure with every problem, each with its line marked.
 */
export async function readPolicyFile(path: string, { note }: Notes): Promise<Policy> {
  const { parsePolicy } = await import("../policy/parse.ts");
  const { policy, warnings, show } = await readYamlFile(path, { what: "policy", parse: parsePolicy });
  for (const warning of warnings) note(show(warning));
  return policy;
}

interface Form<Good> {
  /** What the file should be, in words. */
  readonly what: string;
  readonly parse: (text: string) => Good | { readonly ok: false; readonly problems: readonly Problem[] };
}

/**
 * Reads a file in which problems can be pointed at. Throws CommandFailure with every one, each with its line marked;
 * `show` of what is returned marks the line of another one.
 */
export async function readYamlFile<Good extends { readonly ok: true }>(
  path: string,
  { what, parse }: Form<Good>,
): Promise<Good & { readonly show: (problem: Problem) => string }> {
  const text = readText(path, what);
  const show = (problem: Problem) => pointedOut(problem, path, text);
  const result = parse(text);
  if (result.ok) return { ...result, show };
  const shown = result.problems.map(show).join("\n");
  throw new CommandFailure(`${path} is not a ${what} that can be used\n${shown}`, { code: "invalid_argument" });
}

/** Why a file can't be read, by the error's code; others speak for themselves. */
const unreadable: ReadonlyMap<unknown, string> = new Map([
  ["ENOENT", "there is no such file"],
  ["EISDIR", "it is a directory"],
  ["EACCES", "you may not read it"],
  ["ERR_ENCODING_INVALID_ENCODED_DATA", "it is not UTF-8 text"],
]);

function readText(path: string, what: string): string {
  try {
    const bytes = readFileSync(path === "-" ? 0 : path);
    if (bytes.length > MAX_POLICY_BYTES) throw new Error(`it is ${bytes.length} bytes long`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = unreadable.get(code) ?? (error instanceof Error ? error.message : String(error));
    throw new CommandFailure(`cannot read the ${what} ${path}: ${reason}`, { code: "invalid_argument" });
  }
}

/** The problem, the line that it is in, and a caret below the place. */
function pointedOut(problem: Problem, path: string, text: string): string {
  const message = formatProblem(problem, path);
  if (!problem.place) return message;
  const line = text.split("\n")[problem.place.line - 1];
  if (line === undefined) return message;
  const number = `${problem.place.line}`;
  const caret = " ".repeat(Math.max(0, problem.place.column - 1));
  return `${message}\n  ${number} | ${printableLine(line).replaceAll("\\t", " ")}\n  ${" ".repeat(number.length)} | ${caret}^`;
}
