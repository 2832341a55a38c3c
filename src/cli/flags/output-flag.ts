import { valueOr } from "./flag.ts";
import { outputFormat } from "./meanings.ts";

/** `-o`, for every command that lists or shows. */
export const outputFlag = valueOr("how to print: table, json or yaml", outputFormat, {
  short: "o",
  placeholder: "FORMAT",
  initial: "table",
  shownDefault: "table",
});
