/** Pictures and documents in Messages, by themselves and in the results of tools. */
import { type FilePart, type ImagePart, Untranslatable } from "../conversation.ts";
import { defined, type Fields } from "../fields.ts";

export function readImage(block: Fields): ImagePart {
  block.hints("cache_control");
  const source = block.object("source");
  if (source === undefined) throw block.refusal("source");
  const type = source.needText("type");
  if (type !== "url" && type !== "base64") throw source.refusal("type");
  const url = type === "url" ? source.needText("url") : readBase64(source);
  source.done();
  block.done();
  return { kind: "image", url };
}

export function writeImage({ url }: ImagePart): object {
  return { type: "image", source: dataOf(url) ?? { type: "url", url } };
}

export function readDocument(block: Fields): FilePart {
  block.hints("cache_control");
  const source = block.object("source");
  if (source === undefined) throw block.refusal("source");
  const url = readDocumentSource(source);
  const name = block.text("title");
  // Whoever wants the answer's words traced to the document would miss that.
  const citations = block.object("citations");
  citations?.neutral("enabled", false);
  citations?.done();
  source.done();
  block.done();
  return defined({ kind: "file", url, name }) as FilePart;
}

function readDocumentSource(source: Fields): string {
  const type = source.needText("type");
  switch (type) {
    case "url":
      return source.needText("url");
    case "base64":
      return readBase64(source);
    case "text": {
      const mediaType = source.needText("media_type");
      return `data:${mediaType};base64,${Buffer.from(source.needText("data")).toString("base64")}`;
    }
    default:
      throw new Untranslatable(`${source.pathOf("type")} ${type} can't be translated`);
  }
}

/** A document is a PDF or plain text there. What a URL leads to, the backend will see. */
export function writeDocument({ url, name }: FilePart): object {
  return defined({ type: "document", source: writeDocumentSource(url), title: name });
}

function writeDocumentSource(url: string): object {
  if (!url.startsWith("data:")) return { type: "url", url };
  const source = dataOf(url);
  switch (source?.media_type) {
    case "application/pdf":
      return source;
    case "text/plain":
      return { type: "text", media_type: "text/plain", data: Buffer.from(source.data, "base64").toString() };
    default:
      throw new Untranslatable(`a file of the type ${source?.media_type ?? "unknown"} can't be translated`);
  }
}

function readBase64(source: Fields): string {
  return `data:${source.needText("media_type")};base64,${source.needText("data")}`;
}

interface Base64Source {
  readonly type: "base64";
  readonly media_type: string;
  readonly data: string;
}

/** What a `data:` URL holds. */
function dataOf(url: string): Base64Source | undefined {
  const [, mediaType, data] = /^data:([\w.+/-]+);base64,(.*)$/s.exec(url) ?? [];
  return mediaType === undefined || data === undefined ? undefined : { type: "base64", media_type: mediaType, data };
}
