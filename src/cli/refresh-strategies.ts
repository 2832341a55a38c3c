/** The ways in which the gateway gets a credential by itself, by the words for them. */
import type {
  ProviderCredentialRefreshStrategyJson,
  ProviderProfileCredentialJson,
} from "../gen/openshell/v1/provider_pb.ts";

export const refreshStrategies: Readonly<Record<string, ProviderCredentialRefreshStrategyJson>> = {
  "oauth2-refresh-token": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_OAUTH2_REFRESH_TOKEN",
  "oauth2-client-credentials": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_OAUTH2_CLIENT_CREDENTIALS",
  "google-service-account-jwt": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_GOOGLE_SERVICE_ACCOUNT_JWT",
  "aws-sts-assume-role": "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_AWS_STS_ASSUME_ROLE",
};

/** Whether the gateway can get it. One whose strategy is `external` or `static` is renewed by somebody else. */
export function isRenewedByGateway({ refresh }: ProviderProfileCredentialJson): boolean {
  return refresh?.strategy !== undefined && Object.values(refreshStrategies).includes(refresh.strategy);
}
