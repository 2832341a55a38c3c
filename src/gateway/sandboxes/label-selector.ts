import { invalid } from "../refuse.ts";

/** `key=value,key=value` as a map; empty text selects everything. Throws INVALID_ARGUMENT for anything else. */
export function parseLabelSelector(text: string): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const part of text.split(",").filter((part) => part.trim() !== "")) {
    const at = part.indexOf("=");
    if (at < 1) throw invalid(`"${part}" is not a label condition: key=value`);
    // Both `=` and `==` mean equality in Kubernetes, from where the habit comes.
    labels.set(
      part.slice(0, at).trim(),
      part
        .slice(at + 1)
        .replace(/^=/, "")
        .trim(),
    );
  }
  return labels;
}

/** Whether a sandbox with these labels has all that are asked for. */
export function isSelected(labels: Readonly<Record<string, string>>, selector: ReadonlyMap<string, string>): boolean {
  return [...selector].every(([key, value]) => labels[key] === value);
}
