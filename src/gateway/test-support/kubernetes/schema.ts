/** Judges an object as an API server does: by the published OpenAPI document (scripts/generate-kubernetes-schema.ts), strictly. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What the document says of a kind, or of a part of one, as far as it is kept. */
export interface Definition {
  readonly type?: string;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly items?: Definition;
  readonly additionalProperties?: Definition;
  readonly $ref?: string;
}

const { definitions } = JSON.parse(readFileSync(join(import.meta.dirname, "schema.json"), "utf8")) as {
  readonly definitions: Readonly<Record<string, Definition>>;
};

/** What is wrong with an object of a kind, by its `apiVersion` and `kind`; a kind that is not known is wrong as well. */
export function faultsOf(object: unknown): string[] {
  const { apiVersion = "", kind = "" } = object as { apiVersion?: string; kind?: string };
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
  const name = `io.k8s.api.${group.split(".")[0]}.${version}.${kind}`;
  const definition = definitions[name];
  return definition === undefined ? [`no kind ${name} is known`] : faultsIn(object, definition, kind);
}

function faultsIn(value: unknown, given: Definition, at: string): string[] {
  const definition = given.$ref === undefined ? given : (definitions[given.$ref.slice("#/definitions/".length)] ?? {});
  // A quantity, or a port by number or name.
  if (definition.format === "int-or-string")
    return typeof value === "number" || typeof value === "string" ? [] : [`${at}: neither a number nor a text`];
  switch (definition.type) {
    case "string":
      // In JSON quantities may be numbers.
      return typeof value === "string" || given.$ref?.endsWith(".Quantity") ? [] : [`${at}: not a text`];
    case "integer":
      return Number.isInteger(value) ? [] : [`${at}: not a whole number`];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${at}: neither true nor false`];
    case "array":
      if (!Array.isArray(value)) return [`${at}: not a list`];
      return value.flatMap((item, index) => faultsIn(item, definition.items ?? {}, `${at}[${index}]`));
    case "object":
      return faultsInObject(value, definition, at);
    default:
      return [];
  }
}

function faultsInObject(value: unknown, definition: Definition, at: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at}: not an object`];
  const { properties, additionalProperties, required = [] } = definition;
  const entries = Object.entries(value);
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}: ${name} is missing`);
  return [
    ...missing,
    ...entries.flatMap(([name, part]) => {
      const known = properties?.[name] ?? additionalProperties;
      if (known !== undefined) return faultsIn(part, known, `${at}.${name}`);
      return properties === undefined ? [] : [`${at}: no field ${name} is known`];
    }),
  ];
}
