/** What it takes to reach a gateway over the network. */
export interface RemoteOptions {
  /** `https://host:port`, or `http://` for a plaintext gateway. */
  readonly endpoint: string;
  /** Sent with each call: who calls, besides or in place of a certificate. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly insecure?: boolean };
}
