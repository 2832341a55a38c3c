/** Events and spans on their way to a collector: JSON by POST, of which any 2xx is the receipt. */

export interface JsonPost {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Also the time limit. */
  readonly signal: AbortSignal;
}

/** Rejects where the collector does not take it. */
export async function postJson(url: string, { body, headers, signal }: JsonPost): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
    signal,
    // What was meant for one address is not for another that it names.
    redirect: "error",
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`status ${response.status}`);
}

/** An attribute as OTLP's JSON has it. */
export function otlpAttribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}
