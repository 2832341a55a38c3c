/**
 * What servers find in a query besides what stands in it. Which parameter a name means is for no RFC to say, and servers
 * differ: some part at `;` too; ASP.NET takes no notice of case; PHP makes `_` of dots, spaces and a bracket that is left
 * open; PHP, Rack and qs take `name[]` and `[name]` for `name`. Whoever looks for a parameter that must not be there has to
 * look for it in all of these spellings.
 */

/** A decoded parameter. */
export type Parameter = readonly [name: string, value: string];

/** The query as servers read it that part it at `;` as well. */
export function partedAtSemicolons(query: readonly Parameter[]): readonly Parameter[] {
  if (!query.some(([name, value]) => name.includes(";") || value.includes(";"))) return query;
  return query.flatMap(([name, value]) => `${name}=${value}`.split(";").map(asParameter));
}

/** Both partings of a query. What stands in both alike is there once or twice. */
export function everyParameter(query: readonly Parameter[]): readonly Parameter[] {
  const parted = partedAtSemicolons(query);
  return parted === query ? query : [...query, ...parted];
}

/** Whether some server takes a parameter of the name `written` for the one called `name`. */
export function mayBeNamed(written: string, name: string): boolean {
  if (written === name) return true;
  const wanted = folded(name);
  const bare = written.replace(/^[\s[\]]+/, "");
  return [bare, bare.replace(/[[\]].*$/s, ""), bare.replace("[", "_")].some((reading) => folded(reading) === wanted);
}

function asParameter(text: string): Parameter {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Case goes both ways, for the letters beyond ASCII that fold into it. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase().replace(/[. ]/g, "_");
}
