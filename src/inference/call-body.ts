/**
 * A call's body, read strictly and changed sparingly. It must be one JSON object in UTF-8 that names each of the members
 * we look at once: a body that two parsers read differently could show one model to us and another to the backend.
 */
import { isUtf8 } from "node:buffer";
import { type Member, topLevelMembers } from "./top-level-members.ts";

export interface CallBody {
  readonly bytes: Buffer;
  readonly members: readonly Member[];
  readonly json: Readonly<Record<string, unknown>>;
  /** What the caller calls the model, if it says so. */
  readonly model?: string;
  readonly stream: boolean;
}

export type CallBodyResult =
  | { readonly ok: true; readonly body: CallBody }
  | { readonly ok: false; readonly detail: string };

export function readCallBody(bytes: Buffer): CallBodyResult {
  const json = parseObject(bytes);
  if (typeof json === "string") return { ok: false, detail: json };
  const members = topLevelMembers(bytes);
  for (const name of ["model", "stream"]) {
    if (members.filter((member) => member.name === name).length > 1) {
      return { ok: false, detail: `the body names ${name} more than once` };
    }
  }
  const { model, stream } = json;
  if (model !== undefined && typeof model !== "string") return { ok: false, detail: "model is not a string" };
  if (stream !== undefined && stream !== null && typeof stream !== "boolean") {
    return { ok: false, detail: "stream is not true or false" };
  }
  return { ok: true, body: { bytes, members, json, ...(model !== undefined && { model }), stream: stream === true } };
}

/** The same bytes with another model in them. */
export function withModel({ bytes, members }: CallBody, model: string): Buffer {
  const member = members.find(({ name }) => name === "model");
  const value = Buffer.from(JSON.stringify(model));
  if (member === undefined) return withFirst(bytes, members, Buffer.concat([Buffer.from('"model":'), value]));
  return Buffer.concat([bytes.subarray(0, member.valueFrom), value, bytes.subarray(member.valueEnd)]);
}

/** The same members without some, and with others in front that the caller has not given by itself. */
export function withMembers(
  { bytes, members }: CallBody,
  dropped: readonly string[],
  defaults: Readonly<Record<string, string>>,
): Buffer {
  const kept = members.filter(({ name }) => !dropped.includes(name));
  const missing = Object.entries(defaults).filter(([name]) => !kept.some((member) => member.name === name));
  const pieces = [
    ...missing.map((entry) => Buffer.from(entry.map((text) => JSON.stringify(text)).join(":"))),
    ...kept.map(({ from, valueEnd }) => bytes.subarray(from, valueEnd)),
  ];
  const separated = pieces.flatMap((piece, index) => (index === 0 ? [piece] : [Buffer.from(","), piece]));
  return Buffer.concat([Buffer.from("{"), ...separated, Buffer.from("}")]);
}

function withFirst(bytes: Buffer, members: readonly Member[], member: Buffer): Buffer {
  const behindBrace = bytes.indexOf("{") + 1;
  const separator = Buffer.from(members.length > 0 ? "," : "");
  return Buffer.concat([bytes.subarray(0, behindBrace), member, separator, bytes.subarray(behindBrace)]);
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | string {
  if (!isUtf8(bytes)) return "the body is not UTF-8";
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch {
    return "the body is not JSON";
  }
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return isObject ? (json as Readonly<Record<string, unknown>>) : "the body is not a JSON object";
}
