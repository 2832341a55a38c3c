/** The supervisor's orders as they come in on its standard input; see launch-spec.ts. */
import { createInterface } from "node:readline";

/**
 * Each line as a JSON value. Ends with the input.
 * @throws SyntaxError for a line that is no JSON
 */
export async function* readOrders(input: NodeJS.ReadableStream): AsyncGenerator<unknown, undefined> {
  // The gateway is this package's own and of the same version: the form is trusted.
  for await (const line of createInterface({ input })) yield JSON.parse(line);
  return undefined;
}
