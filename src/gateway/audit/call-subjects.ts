/** What a call is about, as far as its request names it: never what is to be done with it, or any content. */
import type { Resource } from "../../ocsf/classes/api-activity.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Fields that name something, and of what kind. None of them holds a secret: a session's token is not among them. */
const namingFields: readonly (readonly [field: string, type: string])[] = [
  ["sandboxName", "sandbox"],
  ["sandbox", "sandbox"],
  ["newName", "sandbox"],
  ["providerName", "provider"],
  ["provider", "provider"],
  ["routeName", "inference route"],
  ["snapshot", "snapshot"],
  ["service", "service"],
  ["principalSubject", "member"],
  ["settingKey", "setting"],
  ["chunkId", "proposal"],
];

/** Characters of a name that are logged: whoever calls chooses it. */
const shownName = 128;

/**
 * @param method as the service names it, such as `CreateProvider`
 * @param fields of the request, or of what a stream's first message carries
 */
export function callSubjects(method: string, fields: Fields): Resource[] {
  const workspace = textIn(fields, "workspace");
  const place = workspace === "" ? {} : { namespace: workspace };
  const named = (type: string, name: string): Resource[] =>
    name === "" ? [] : [{ type, name: name.slice(0, shownName), ...(type !== "member" && place) }];
  const sandboxId = textIn(fields, "sandboxId");
  return [
    ...(sandboxId === "" ? [] : [{ type: "sandbox", uid: sandboxId.slice(0, shownName) }]),
    ...named(kindOfName(method), textIn(fields, "name")),
    ...named("provider profile", /ProviderProfile/.test(method) ? textIn(fields, "id") : ""),
    ...namingFields.flatMap(([field, type]) => named(type, textIn(fields, field) || nameIn(fields[field]))),
  ];
}

/** What `name` names where a request has it: a sandbox, unless the method is about something else. */
function kindOfName(method: string): string {
  if (/Provider$/.test(method)) return "provider";
  return /Workspace$/.test(method) && method !== "ReviewWorkspace" ? "workspace" : "sandbox";
}

function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

/** The name of a thing that is sent whole. */
function nameIn(thing: unknown): string {
  const metadata = (thing as { readonly metadata?: Fields } | undefined)?.metadata;
  return typeof metadata === "object" && metadata !== null ? textIn(metadata, "name") : "";
}
