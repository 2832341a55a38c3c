/**
 * Text from inside the sandbox on its way to a terminal. A path or a name may hold line breaks, which would forge log
 * lines, or escape sequences, which would drive the reader's terminal; only printable ASCII gets through.
 */

/** Characters of one value that a line shows; longer ones are cut. */
const shownLength = 512;

/** Everything but printable ASCII as `\xNN` or `\u{N}`, and a backslash doubled, so that nothing can be mistaken. */
export function printable(text: string): string {
  const cut = text.length > shownLength ? `${text.slice(0, shownLength)}...` : text;
  // The common case costs one scan and no allocation.
  return /^[ -[\]-~]*$/.test(cut) ? cut : cut.replace(/[^ -[\]-~]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  if (character === "\\") return "\\\\";
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
