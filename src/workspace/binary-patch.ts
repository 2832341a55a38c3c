/**
 * What is no text, as git applies it: whole contents, deflated, in base 85. The format is git's own and nowhere specified but
 * in its sources (diff.c, base85.c); a test has git read it.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflate } from "node:zlib";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
/** A line's length is one letter: A to Z are 1 to 26, a to z 27 to 52. */
const LINE_BYTES = 52;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** What git calls a file that is not there. */
const NOTHING = "0".repeat(40);

/**
 * The part of a patch behind its mode lines. Both ways, so that it can be taken back. Undefined: there is no such file.
 * @param mode of both sides, where it is the same
 */
export async function binaryPatch(
  before: Buffer | undefined,
  after: Buffer | undefined,
  mode: string | undefined,
): Promise<string> {
  const index = `index ${blobName(before)}..${blobName(after)}${mode === undefined ? "" : ` ${mode}`}\n`;
  return `${index}GIT binary patch\n${await literal(after)}\n${await literal(before)}\n`;
}

/** By which git knows contents: it applies no patch to others. */
function blobName(bytes: Buffer | undefined): string {
  if (bytes === undefined) return NOTHING;
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

async function literal(bytes: Buffer = Buffer.alloc(0)): Promise<string> {
  const packed = await promisify(deflate)(bytes);
  const lines = [`literal ${bytes.length}\n`];
  for (let at = 0; at < packed.length; at += LINE_BYTES) {
    const line = packed.subarray(at, at + LINE_BYTES);
    lines.push(`${LETTERS[line.length - 1]}${base85(line)}\n`);
  }
  return lines.join("");
}

/** Five digits for four bytes; zeros make up what is missing at the end. */
function base85(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    let number = 0;
    for (let byte = 0; byte < 4; byte += 1) number = number * 256 + (bytes[at + byte] ?? 0);
    let digits = "";
    for (let digit = 0; digit < 5; digit += 1) {
      digits = `${ALPHABET[number % 85]}${digits}`;
      number = Math.floor(number / 85);
    }
    text += digits;
  }
  return text;
}
