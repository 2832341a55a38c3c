/** Changes as patches that git can apply; git-diff(1), "Generating patch text with -p". */
import type { FileHandle } from "node:fs/promises";
import { binaryPatch } from "./binary-patch.ts";
import type { Change } from "./changes.ts";
import type { FileState } from "./file-state.ts";
import { hunks } from "./hunks.ts";

/** Larger files count as no text: comparing lines would take seconds. */
const MAX_TEXT_BYTES = 2 * 1024 * 1024;
/** Larger files are told to differ, and no more: both versions are in memory, and most of a patch is for people to read. */
const MAX_PATCHED_BYTES = 16 * 1024 * 1024;
/** Where a zero byte is looked for, which text has none of: as much as git looks at. */
const LOOKED_AT_BYTES = 8_000;

/** Stands for contents that are not named; abbreviated, which git takes for a patch that is not meant to be applied. */
const UNKNOWN = "0000000";

/** One side of a patch: how git calls what is there, and its bytes as characters. */
interface Side {
  readonly mode: "100644" | "100755" | "120000";
  /** Undefined for what is no text, or too much of it. */
  readonly text: string | undefined;
  /** Undefined for what is too large for a patch. */
  readonly bytes: Buffer | undefined;
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

async function* onePatch(path: string, before: Side | undefined, after: Side | undefined): AsyncGenerator<Buffer> {
  if (before === undefined && after === undefined) return;
  const head = [`diff --git ${quoted(`a/${path}`)} ${quoted(`b/${path}`)}\n`, ...modeLines(before, after)];
  const [old, now] = [before?.text ?? "", after?.text ?? ""];
  const isBinary = [before, after].some((each) => each && each.text === undefined);
  if (isBinary) {
    const isTooLarge = [before, after].some((each) => each && each.bytes === undefined);
    const mode = before?.mode === after?.mode ? after?.mode : undefined;
    const body = isTooLarge
      ? // Git applies nothing of a patch with this in it, and says why: that nothing is silently left out.
        `index ${UNKNOWN}..${UNKNOWN}\nBinary files ${named("a", path, before)} and ${named("b", path, after)} differ\n`
      : await binaryPatch(before?.bytes, after?.bytes, mode);
    return yield Buffer.from(head.join("") + body);
  }
  // Nothing that git keeps.
  if (head.length === 1 && old === now) return;
  if (old === now) return yield Buffer.from(head.join(""));
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
  if (state.kind === "link") {
    const bytes = Buffer.from(state.linkTarget);
    return { mode: "120000", bytes, text: bytes.toString("latin1") };
  }
  const bytes = await bytesOf(change, which, state);
  const isText = bytes && bytes.length <= MAX_TEXT_BYTES && !bytes.subarray(0, LOOKED_AT_BYTES).includes(0);
  return {
    mode: state.mode & 0o100 ? "100755" : "100644",
    bytes,
    text: isText ? bytes.toString("latin1") : undefined,
  };
}

async function bytesOf(change: Change, which: "before" | "after", { size }: FileState): Promise<Buffer | undefined> {
  if (size > MAX_PATCHED_BYTES) return undefined;
  await using file = await change.open(which);
  return await readUpTo(file, size);
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
