/** The credentials of a sandbox's providers: what stands for each inside, and where each may go. Replaced as a whole. */
import type { ApplyCredentialsJson, AttachedCredentialJson } from "../../../gen/openshell/v1/provider_pb.ts";
import type { CanonicalHost } from "../../../net/canonical-host.ts";
import { compileHost, parseHostPattern } from "../../../policy/match/host.ts";
import { compilePath } from "../../../policy/match/path.ts";
import type { Destination } from "../../../policy/verdict.ts";
import { Secret } from "../../../secrets/secret.ts";
import { type Placeholder, PlaceholderPattern } from "./placeholder-text.ts";

export interface Credential {
  readonly provider: string;
  readonly key: string;
  readonly secret: Secret;
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAtMs: number;
  /** Of its provider's profile; endpoints of the policy can name the provider too. */
  readonly bindings: readonly Binding[];
}

interface Binding {
  readonly port: number;
  readonly hostMatches: (host: CanonicalHost) => boolean;
  readonly pathMatches: (path: string) => boolean;
}

export class Credentials {
  readonly pattern: PlaceholderPattern;
  /** Variables for the programs of the sandbox: placeholders, and what is not secret. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #byPlaceholder: ReadonlyMap<string, Credential>;
  readonly #byKey: ReadonlyMap<string, Credential>;

  constructor({ credentials = [], environment = {} }: ApplyCredentialsJson) {
    const all = credentials.map((json) => [json.placeholder ?? "", credentialFrom(json)] as const);
    this.#byPlaceholder = new Map(all);
    this.#byKey = new Map(all.map(([, credential]) => [credential.key, credential]));
    this.pattern = new PlaceholderPattern([...this.#byPlaceholder.keys()]);
    this.environment = { ...environment, ...Object.fromEntries(all.map(([text, { key }]) => [key, text])) };
  }

  /** Whether there are any: without them there is nothing to look for. */
  get some(): boolean {
    return this.#byKey.size > 0;
  }

  /** The credential that a placeholder stands for. */
  of({ text, key }: Placeholder): Credential | undefined {
    return key === undefined ? this.#byPlaceholder.get(text) : this.#byKey.get(key);
  }

  /** Each credential, behind what stands for it. */
  withPlaceholders(): Iterable<readonly [placeholder: string, Credential]> {
    return this.#byPlaceholder;
  }

  /** The credential that a provider has by the name of this variable. */
  byName(provider: string, key: string): Credential | undefined {
    const found = this.#byKey.get(key);
    return found?.provider === provider ? found : undefined;
  }

  /** Whether some path at this destination is what a credential is for. */
  concern({ host, port }: Destination): boolean {
    const isFor = (binding: Binding) => binding.port === port && binding.hostMatches(host);
    return [...this.#byKey.values()].some(({ bindings }) => bindings.some(isFor));
  }
}

export const noCredentials = new Credentials({});

/** Whether the credential's own bindings name this path at this destination. */
export function isBoundTo({ bindings }: Credential, { host, port }: Destination, path: string): boolean {
  return bindings.some((binding) => binding.port === port && binding.hostMatches(host) && binding.pathMatches(path));
}

function credentialFrom(json: AttachedCredentialJson): Credential {
  return {
    provider: json.provider ?? "",
    key: json.key ?? "",
    secret: new Secret(json.secret ?? ""),
    expiresAtMs: Number(json.expiresAtMs ?? 0),
    bindings: (json.endpoints ?? []).map(({ host = "", port = 0, path = "" }) => {
      const pattern = parseHostPattern(host);
      return {
        port,
        // The gateway has checked it; what can't be read binds to nothing.
        hostMatches: pattern.ok ? compileHost(pattern.pattern) : () => false,
        pathMatches: path === "" ? () => true : compilePath(path),
      };
    }),
  };
}
