import { valueOr } from "./flag.ts";
import { wholeNumber } from "./meanings.ts";

const DEFAULT_LIMIT = 100;

/** Which part of a list is wanted. */
export const pageFlags = {
  limit: valueOr("how many at most", wholeNumber(1, 1_000), {
    placeholder: "N",
    initial: DEFAULT_LIMIT,
    shownDefault: `${DEFAULT_LIMIT}`,
  }),
  offset: valueOr("how many to skip", wholeNumber(0), { placeholder: "N", initial: 0, shownDefault: "0" }),
};
