/** Glob → regular expression; fine for the short patterns of a test. */
export function glob(pattern: string, star: string, flags = "u"): RegExp {
  const source = pattern.replace(/\*+|\[!|[[\]]|\?|[^*?[\]]/g, (part) => {
    if (part === "*") return star;
    if (part.startsWith("*")) return "[^]*";
    if (part === "?") return "[^]";
    if (part === "[!") return "[^";
    if (part === "[" || part === "]") return part;
    return part.replace(/[.+^$(){}|\\/]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, flags);
}
