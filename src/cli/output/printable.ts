/**
 * Makes text that came from elsewhere safe to print. Log lines, names and messages can carry what an agent chose, and a
 * terminal obeys escape sequences: they can rewrite what stands above, or put words on the clipboard.
 */

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Every control and direction-changing character becomes a visible escape; line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(controls, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The same for text that has to stay on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, (character) => (character === "\n" ? "\\n" : "\\t"));
}
