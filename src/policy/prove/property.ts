/** `POST to *.example.com by anything but /usr/bin/git`: what must never be allowed. */
import { parseHostPattern } from "../match/host.ts";
import { pathGlobProblem } from "../match/path.ts";

export interface Property {
  /** Undefined: any, and bare connections too. */
  readonly methods?: readonly string[];
  /** Undefined: any. */
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  /** Globs; a program is meant if one of them matches, or, with `butPrograms`, if none does. */
  readonly programs: readonly string[];
  readonly butPrograms: boolean;
}

export type PropertyResult =
  | { readonly ok: true; readonly property: Property }
  | { readonly ok: false; readonly why: string };

const anything = /^(anything|any|everything|\*)$/i;

/** `METHODS to HOST[:PORT][/PATH] [by [anything but] PROGRAMS]`; each of them may be `anything`. */
export function parseProperty(text: string): PropertyResult {
  const parts = /^\s*(.+?)\s+to\s+(\S+)(?:\s+by\s+(?:(anything|any program)\s+but\s+)?(.+?))?\s*$/i.exec(text);
  if (parts === null) return no("must be like `POST to *.example.com by anything but /usr/bin/git`");
  const [, what = "", where = "", but, who = "anything"] = parts;
  const place = placeOf(where);
  if (!place.ok) return place;
  const programs = anything.test(who) ? ["/**"] : who.split(/\s*(?:,|\bor\b|\band\b)\s*/).filter(Boolean);
  const wrong = programs.find((program) => !program.startsWith("/"));
  if (wrong !== undefined) return no(`a program is an absolute path or a glob of one, not ${wrong}`);
  const methods = anything.test(what) ? [] : what.split(/\s*(?:,|\bor\b|\band\b)\s*/i).filter(Boolean);
  const method = methods.find((word) => !/^[A-Za-z_-]+$/.test(word));
  if (method !== undefined) return no(`a method is a word such as POST, not ${method}`);
  const upper = methods.length === 0 ? {} : { methods: methods.map((word) => word.toUpperCase()) };
  return { ok: true, property: { ...upper, ...place.place, programs, butPrograms: but !== undefined } };
}

type PlaceResult =
  | { readonly ok: true; readonly place: Pick<Property, "host" | "port" | "path"> }
  | { readonly ok: false; readonly why: string };

function placeOf(where: string): PlaceResult {
  const [, host = "", port, path] =
    /^(\[[^\]]*\]|[^:/]+)(?::(\d{1,5}))?(\/.*)?$/.exec(where.replace(/^https?:\/\//i, "")) ?? [];
  const problem = path === undefined ? undefined : pathGlobProblem(path);
  if (problem !== undefined) return no(`the path can never match: ${problem}`);
  const more = { ...(port === undefined ? {} : { port: Number(port) }), ...(path === undefined ? {} : { path }) };
  if (anything.test(host)) return { ok: true, place: more };
  const pattern = parseHostPattern(host.replace(/^\[|\]$/g, ""));
  return pattern.ok ? { ok: true, place: { host: pattern.pattern, ...more } } : no(`the host: ${pattern.why}`);
}

function no(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}
