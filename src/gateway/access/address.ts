/** What a request says of what it is about. The API's messages name it in the same fields throughout. */

export interface Address {
  readonly workspace: string;
  readonly name: string;
  readonly sandboxId: string;
  /** Of an SSH session. */
  readonly token: string;
  readonly sessionId: string;
  /** About all workspaces, or about the gateway itself. */
  readonly isEverywhere: boolean;
}

/** The address in a message, or in the opening that a stream's first message carries. */
export function addressOf(message: object): Address {
  const fields = openingOf(message) as Readonly<Record<string, unknown>>;
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  return {
    workspace: text("workspace"),
    name: text("name"),
    sandboxId: text("sandboxId") || text("id"),
    token: text("token"),
    sessionId: text("sessionId"),
    isEverywhere: fields["allWorkspaces"] === true || fields["global"] === true,
  };
}

/** What of a message says what it is about: itself, or the opening in it. */
export function openingOf(message: object): object {
  const payload = (message as { readonly payload?: { readonly case?: string; readonly value?: unknown } }).payload;
  const isOpening = payload?.case === "init" || payload?.case === "start";
  return isOpening && typeof payload?.value === "object" && payload.value !== null ? payload.value : message;
}
