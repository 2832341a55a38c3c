/** Step 9 for a stream: the header list that is forwarded, with credentials in place, and who looks at its body meanwhile. */
import type { Field } from "../../../../net/http1-fields.ts";
import type { Credentials } from "../../09-credential/credentials.ts";
import { type CredentialedRequest, giveCredentials } from "../../09-credential/give-credentials.ts";
import type { CredentialPlace } from "../../09-credential/put-in-place.ts";
import { isRefusal, type Refusal } from "../../connection.ts";
import type { RequestContent } from "../content.ts";
import type { StreamBody } from "./body.ts";
import { headerList, type UnderstoodStream } from "./understand.ts";

export interface AllowedRequest extends UnderstoodStream {
  readonly body: StreamBody;
  readonly content: RequestContent;
  readonly hasBody: boolean;
}

export interface PreparedRequest extends Pick<CredentialedRequest, "watch" | "mask"> {
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

/** Prepares an allowed request to be forwarded. A body in which a credential was put takes the place of the client's. */
export async function prepareRequest(
  request: AllowedRequest,
  place: Omit<CredentialPlace, "path">,
  credentials: Credentials,
): Promise<PreparedRequest | Refusal> {
  if (!credentials.some) return { headers: headerList(request, place.scheme) };
  const given = await giveCredentials(request, { ...place, path: request.facts.path }, credentials);
  if (isRefusal(given)) return given;
  const { forwarded, watch, mask, body } = given;
  if (body !== undefined) request.body.replace(body);
  const fields = body === undefined ? given.fields : withLength(given.fields, body.length);
  const headers = headerList({ ...request, forwarded, fields }, place.scheme);
  return { headers, ...(watch && { watch }), ...(mask && { mask }) };
}

/** With the length of a body that was rewritten, where the client gave one. */
function withLength(fields: readonly Field[], length: number): readonly Field[] {
  return fields.map((field) => (field.lower === "content-length" ? { ...field, value: `${length}` } : field));
}
