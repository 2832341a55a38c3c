/** The chart, and what helm(1) has made of it: kept in the repository, so that it can be judged where there is no helm. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export const CHART = "deploy/helm/openshell";
export const RENDERED = "deploy/helm/rendered";
/** With as little as it needs, and with everything that it knows. */
export const renderings = ["least", "most"] as const;
export type Rendering = (typeof renderings)[number];

/** Of the chart, and of the values that it was rendered with. */
export function chartDigest(rendering: Rendering): string {
  const hash = createHash("sha256");
  const files = globSync(join(CHART, "**/*.*")).sort();
  for (const path of [...files, join(RENDERED, `${rendering}.values.yaml`)])
    hash.update(`${path}\0${readFileSync(path, "utf8")}\0`);
  return hash.digest("hex");
}

/** By helm itself, which must be there. */
export function renderChart(rendering: Rendering): string {
  const values = join(RENDERED, `${rendering}.values.yaml`);
  const args = ["template", "openshell", CHART, "--namespace", "tools", "--kube-version", "1.34.0", "--values", values];
  return `# chart ${chartDigest(rendering)}\n${execFileSync("helm", args, { encoding: "utf8" })}`;
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: each kind has its own, and the schema knows it
  readonly spec?: any;
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

/** As it was rendered last. */
export function renderedChart(rendering: Rendering): {
  readonly text: string;
  readonly manifests: readonly Manifest[];
} {
  const text = readFileSync(join(RENDERED, `${rendering}.yaml`), "utf8");
  return { text, manifests: parseAllDocuments(text).map((document) => document.toJS() as Manifest) };
}
