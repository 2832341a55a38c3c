/** What a user's message in Chat Completions is made of. */
import { type FilePart, type ImagePart, type TextPart, Untranslatable } from "../conversation.ts";
import { writeFileData } from "../openai-members.ts";

export function writePart(part: TextPart | ImagePart | FilePart): object {
  switch (part.kind) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return { type: "image_url", image_url: { url: part.url } };
    case "file": {
      const file = writeFileData(part);
      if (file === undefined) throw new Untranslatable("a file that is not in the request can't be translated");
      return { type: "file", file };
    }
    default:
      return part satisfies never;
  }
}
