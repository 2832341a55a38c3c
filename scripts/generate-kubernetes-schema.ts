/**
 * Makes src/gateway/test-support/kubernetes/schema.json from a cluster's published OpenAPI document (api/openapi-spec/swagger.json of
 * kubernetes/kubernetes): the kinds that this project makes, by which its tests judge them as an API server would. Run by
 * hand, for another version of Kubernetes: `sh scripts/node scripts/generate-kubernetes-schema.ts SWAGGER`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Definition } from "../src/gateway/test-support/kubernetes/schema.ts";

const kinds = [
  ...["Pod", "Secret", "PersistentVolumeClaim", "Service", "ServiceAccount", "ConfigMap", "Namespace"].map(
    (kind) => `core.v1.${kind}`,
  ),
  ...["apps.v1.StatefulSet", "policy.v1.PodDisruptionBudget", "networking.v1.NetworkPolicy"],
  ...["rbac.v1.Role", "rbac.v1.RoleBinding"],
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].map(
    (kind) => `admissionregistration.v1.${kind}`,
  ),
].map((kind) => `io.k8s.api.${kind}`);

const [path = ""] = process.argv.slice(2);
const { definitions, info } = JSON.parse(readFileSync(path, "utf8")) as {
  readonly definitions: Readonly<Record<string, Definition>>;
  readonly info: { readonly version: string };
};
const kept: Record<string, Definition> = {};
for (const kind of kinds) keep(kind);
const schema = { version: info.version, definitions: Object.fromEntries(Object.entries(kept).sort()) };
writeFileSync("src/gateway/test-support/kubernetes/schema.json", `${JSON.stringify(schema)}\n`);

function keep(name: string): void {
  const definition = definitions[name];
  if (definition === undefined) throw new Error(`${path} has no ${name}`);
  if (kept[name]) return;
  // Before its parts: some contain themselves.
  kept[name] = bare(definition);
  for (const reference of JSON.stringify(kept[name]).matchAll(/#\/definitions\/([\w.]+)/g)) keep(reference[1] ?? "");
}

/** Without what is for people. */
function bare({ type, format, required, properties, items, additionalProperties, $ref }: Definition): Definition {
  return {
    ...($ref !== undefined && { $ref }),
    ...(type !== undefined && { type }),
    ...(format !== undefined && { format }),
    ...(required && { required }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, bare(property)])),
    }),
    ...(items && { items: bare(items) }),
    ...(additionalProperties && { additionalProperties: bare(additionalProperties) }),
  };
}
