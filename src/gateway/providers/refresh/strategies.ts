/** The ways to renew a credential: what each needs, whom it asks, and what it makes of the answer. */
import {
  type ProviderProfileCredential,
  ProviderCredentialRefreshStrategy as Strategy,
} from "../../../gen/openshell/v1/provider_pb.ts";
import type { Answer } from "../../outbound/ask.ts";
import { assumeRoleRequest, readAssumedRole, stsUrl } from "./assume-role.ts";
import { type Renewal, type RenewalRequest, readToken, type TokenQuestion, tokenRequest } from "./token-request.ts";

export interface RefreshStrategy {
  /** What it cannot do without: all of one of these. */
  readonly needed: readonly (readonly string[])[];
  /** The only variable that it can be for; absent: any. */
  readonly onlyKey?: string;
  /** Where it asks if nobody says; empty: somebody must. */
  tokenUrl(material: Readonly<Record<string, string>>): string;
  request(question: TokenQuestion): RenewalRequest;
  /** Throws an Error for an answer that is none, without a word of what is secret in it. */
  read(answer: Answer, asked: { readonly key: string; readonly now: number }): Renewal;
}

function oauth2(strategy: Strategy, needed: RefreshStrategy["needed"], tokenUrl = ""): RefreshStrategy {
  return {
    needed,
    tokenUrl: () => tokenUrl,
    request: (question) => tokenRequest(strategy, question),
    read: (answer, { key }) => readToken(answer, key),
  };
}

/** Whether the gateway can get the credential by itself. What is `static` or `external` somebody else renews. */
export function isRenewedHere({ refresh }: ProviderProfileCredential): boolean {
  return refresh !== undefined && strategies.has(refresh.strategy);
}

const GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token";

export const strategies: ReadonlyMap<Strategy, RefreshStrategy> = new Map([
  [Strategy.OAUTH2_REFRESH_TOKEN, oauth2(Strategy.OAUTH2_REFRESH_TOKEN, [["client_id", "refresh_token"]])],
  [Strategy.OAUTH2_CLIENT_CREDENTIALS, oauth2(Strategy.OAUTH2_CLIENT_CREDENTIALS, [["client_id", "client_secret"]])],
  [
    Strategy.GOOGLE_SERVICE_ACCOUNT_JWT,
    oauth2(
      Strategy.GOOGLE_SERVICE_ACCOUNT_JWT,
      [["service_account_json"], ["client_email", "private_key"]],
      GOOGLE_TOKEN_URL,
    ),
  ],
  [
    Strategy.AWS_STS_ASSUME_ROLE,
    {
      needed: [["role_arn", "aws_access_key_id", "aws_secret_access_key"]],
      // One answer holds all three of AWS's variables; this is the one that it is configured by.
      onlyKey: "AWS_ACCESS_KEY_ID",
      tokenUrl: ({ aws_region: region }) => stsUrl(region),
      request: assumeRoleRequest,
      read: (answer, { now }) => readAssumedRole(answer, now),
    },
  ],
]);
