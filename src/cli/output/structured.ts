/**
 * Values for programs, as JSON or YAML.
 */

/**
 * @param value plain data: what it says is what a script sees, so keys are snake_case like the published CLI's.
 * @returns the document, with a line feed at the end.
 */
export async function structured(format: "json" | "yaml", value: unknown): Promise<string> {
  if (format === "json") return `${JSON.stringify(value, undefined, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0 });
}
