/** Changes as patches that git can apply; git-diff(1), "Generating patch text with -p". */
import type { FileHandle } from "node:fs/promises";
import type { Change } from "./changes.ts";
import type { FileState } from "./file-state.ts";
import { hunks } from "./hunks.ts";

/** Larger files are told to differ, as those that are no text; comparing lines would take seconds. */
const MAX_TEXT_BYTES = 2 * 1024 * 1024;
/** Where a zero byte is looked for, which text has none of: as much as git looks at. */
const LOOKED_AT_BYTES = 8_000;

/** One side of a patch: how git calls what is there, and its bytes as characters. */
interface Side {
  readonly mode: "100644" | "100755" | "120000";
  /** Undefined for what is no text, or too much of it. */
  readonly text: string | undefined;
}

/** The patch's bytes; none for what git does not keep, which are folders and permissions other than to execute. */
export async function* patch(change: Change): AsyncGenerator<Buffer> {
  if (change.obstacle !== undefined) return;
  const before = await side(change, "before");
  const after = await side(change, "after");
  // To git a link in a file's place is another file.
  const isOther = before && after && before.mode.slice(0, 3) !== after.mode.slice(0, 3);
  if (isOther) {
    yield* onePatch(change.path, before, undefined);
    yield* onePatch(change.path, undefined, after);
  } else {
    yield* onePatch(change.path, before, after);
  }
}

function* onePatch(path: string, before: Side | undefined, after: Side | undefined): Generator<Buffer> {
  if (before === undefined && after === undefined) return;
  const head = [`diff --git ${quoted(`a/${path}`)} ${quoted(`b/${path}`)}\n`, ...modeLines(before, after)];
  const [old, now] = [before?.text ?? "", after?.text ?? ""];
  const isBinary = [before, after].some((each) => each && each.text === undefined);
  if (isBinary) head.push(`Binary files ${named("a", path, before)} and ${named("b", path, after)} differ\n`);
  // Nothing that git keeps.
  if (head.length === 1 && old === now) return;
  if (isBinary || old === now) return yield Buffer.from(head.join(""));
  yield Buffer.from(`${head.join("")}--- ${named("a", path, before)}\n+++ ${named("b", path, after)}\n`);
  for (const line of hunks(old, now)) yield Buffer.from(line, "latin1");
}

function modeLines(before: Side | undefined, after: Side | undefined): string[] {
  if (before === undefined) return [`new file mode ${after?.mode}\n`];
  if (after === undefined) return [`deleted file mode ${before.mode}\n`];
  return before.mode === after.mode ? [] : [`old mode ${before.mode}\n`, `new mode ${after.mode}\n`];
}

function named(prefix: "a" | "b", path: string, side: Side | undefined): string {
  return side === undefined ? "/dev/null" : quoted(`${prefix}/${path}`);
}

const escapes = new Map([..."abtnvfr"].map((letter, index) => [String.fromCharCode(index + 7), `\\${letter}`]));

/** A name that holds what might end it, or what a terminal obeys, as a string of C: git-config(1), core.quotePath. */
export function quoted(name: string): string {
  const text = name.replace(/[\0-\x1f\x7f-\x9f"\\]/g, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    const octal = (byte: number) => `\\${byte.toString(8).padStart(3, "0")}`;
    return escapes.get(character) ?? [...Buffer.from(character)].map(octal).join("");
  });
  return text === name && !name.includes(" ") ? name : `"${text}"`;
}

async function side(change: Change, which: "before" | "after"): Promise<Side | undefined> {
  const state = change[which];
  if (state === undefined || state.kind === "folder") return undefined;
  if (state.kind === "link") return { mode: "120000", text: Buffer.from(state.linkTarget).toString("latin1") };
  return { mode: state.mode & 0o100 ? "100755" : "100644", text: await textOf(change, which, state) };
}

async function textOf(change: Change, which: "before" | "after", { size }: FileState): Promise<string | undefined> {
  if (size > MAX_TEXT_BYTES) return undefined;
  await using file = await change.open(which);
  const bytes = await readUpTo(file, size);
  return bytes.subarray(0, LOOKED_AT_BYTES).includes(0) ? undefined : bytes.toString("latin1");
}

/** What was appended since it was looked at is not part of it. */
async function readUpTo(file: FileHandle, most: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(most);
  let length = 0;
  while (length < most) {
    const { bytesRead } = await file.read(bytes, length, most - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
