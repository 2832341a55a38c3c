/**
 * Colours, for people only: never into a pipe or file, and never against the user's wish (https://no-color.org).
 */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
}

/** Select Graphic Rendition parameters (ECMA-48), each with the one that undoes it. */
const bold = [1, 22] as const;
const dim = [2, 22] as const;
const red = [31, 39] as const;
const green = [32, 39] as const;
const yellow = [33, 39] as const;

export function styleFor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Style {
  const coloured = stream.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  const painted = ([on, off]: readonly [number, number]) =>
    coloured ? (text: string) => `\u001b[${on}m${text}\u001b[${off}m` : (text: string) => text;
  return { bold: painted(bold), dim: painted(dim), good: painted(green), warning: painted(yellow), bad: painted(red) };
}
