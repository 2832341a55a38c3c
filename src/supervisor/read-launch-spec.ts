/** The supervisor's orders: one JSON document on its standard input. */
import { text } from "node:stream/consumers";
import type { LaunchSpec } from "./launch-spec.ts";

/**
 * Waits for the document and for the end of the input.
 * @returns undefined when the input ended without one: the gateway went away, and nobody wants this supervisor
 * @throws SyntaxError if what came is no JSON
 */
export async function readLaunchSpec(input: NodeJS.ReadableStream): Promise<LaunchSpec | undefined> {
  const document = await text(input);
  // The gateway is this package's own and of the same version: the form is trusted.
  return document.trim() === "" ? undefined : (JSON.parse(document) as LaunchSpec);
}
