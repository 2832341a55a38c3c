import { extract } from "tar-stream";

/** The texts of the regular files in an archive (tar). */
export async function filesIn(archive: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    if (entry.header.type === "file") files.set(entry.header.name, Buffer.concat(parts).toString("utf8"));
  }
  return files;
}
