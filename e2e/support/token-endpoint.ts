/**
 * A token endpoint of the world's own (RFC 6749, RFC 7523), which checks what it is shown as a real one does: clients' secrets,
 * refresh tokens that are good once, a service account's signature. It knows which of its tokens are good.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { RequestListener } from "node:http";
import { text } from "node:stream/consumers";

export type Grant = "refresh_token" | "client_credentials" | "jwt-bearer";

interface Issued {
  readonly grant: Grant;
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly endsAt: number;
}

const grants: Readonly<Record<string, Grant>> = {
  refresh_token: "refresh_token",
  client_credentials: "client_credentials",
  "urn:ietf:params:oauth:grant-type:jwt-bearer": "jwt-bearer",
};

export class TokenEndpoint {
  readonly url: string;
  readonly clientId = "agents";
  readonly clientSecret = `client-secret-${randomBytes(16).toString("hex")}`;
  readonly serviceAccount = "robot@project.iam.example.test";
  /** In PEM. */
  readonly serviceKey: string;
  /** Seconds that tokens of a grant are good for. */
  readonly life: Record<Grant, number> = { refresh_token: 3600, client_credentials: 3600, "jwt-bearer": 3600 };
  /** Grants that are turned down for the time being. */
  readonly down = new Set<Grant>();
  readonly issued: Issued[] = [];
  /** The only one that is good. */
  refreshToken = newToken("refresh");
  readonly #news = new EventEmitter();

  constructor(url: string) {
    this.url = url;
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.serviceKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  }

  /** The key file that Google gives for a service account. */
  get serviceKeyFile(): string {
    const { serviceAccount: email, serviceKey: key, url } = this;
    return JSON.stringify({ type: "service_account", client_email: email, private_key: key, token_uri: url });
  }

  of(grant: Grant): readonly Issued[] {
    return this.issued.filter((each) => each.grant === grant);
  }

  /** Waits until so many tokens of this grant have been given. */
  async whenIssued(grant: Grant, count: number): Promise<readonly Issued[]> {
    while (this.of(grant).length < count) await once(this.#news, "issued");
    return this.of(grant);
  }

  /** Whether a request shows a token of this grant that has not ended. */
  isGood(authorization: string | undefined, grant: Grant): boolean {
    return this.of(grant).some(({ token, endsAt }) => authorization === `Bearer ${token}` && Date.now() < endsAt);
  }

  readonly listener: RequestListener = async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const grant = grants[form.get("grant_type") ?? ""];
    response.setHeader("content-type", "application/json");
    if (grant === undefined || this.down.has(grant) || !this.#isRight(grant, form)) {
      const [status, error] =
        grant !== undefined && this.down.has(grant) ? [503, "unavailable"] : [400, "invalid_grant"];
      return void response.writeHead(status).end(JSON.stringify({ error, error_description: "not now" }));
    }
    const token = newToken("access");
    const at = Date.now();
    this.issued.push({ grant, token, at, endsAt: at + this.life[grant] * 1000 });
    if (grant === "refresh_token") this.refreshToken = newToken("refresh");
    const next = grant === "refresh_token" ? { refresh_token: this.refreshToken } : {};
    const body = { access_token: token, token_type: "Bearer", expires_in: this.life[grant], ...next };
    response.writeHead(200).end(JSON.stringify(body));
    this.#news.emit("issued");
  };

  #isRight(grant: Grant, form: URLSearchParams): boolean {
    if (grant === "jwt-bearer") return this.#isSigned(form.get("assertion") ?? "");
    if (form.get("client_id") !== this.clientId || form.get("client_secret") !== this.clientSecret) return false;
    return grant === "client_credentials" || form.get("refresh_token") === this.refreshToken;
  }

  #isSigned(assertion: string): boolean {
    const [head = "", claims = "", signature = ""] = assertion.split(".");
    const key = createPublicKey(this.serviceKey);
    if (!verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, "base64url"))) return false;
    const { iss, aud, exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
    return iss === this.serviceAccount && aud === this.url && exp * 1000 > Date.now();
  }
}

function newToken(kind: string): string {
  return `${kind}-${randomBytes(24).toString("base64url")}`;
}
