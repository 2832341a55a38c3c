/** Built-in profiles of clouds. `{NAME}` in a host stands for the provider's configuration of that name. */
import type { NetworkEndpointJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { ProviderProfileCredentialJson, ProviderProfileJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { anyProgram, api, bearer, settings } from "./parts.ts";
import { shapes, unknownShape } from "./shapes.ts";

/** All three come from one call, if the gateway is to get them: it is configured for the first. */
const assumedRole: ProviderProfileCredentialJson["refresh"] = {
  strategy: "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_AWS_STS_ASSUME_ROLE",
  additionalOutputs: [
    { output: "secret_access_key", credential: "secret_access_key" },
    { output: "session_token", credential: "session_token" },
  ],
};

const awsCredentials: ProviderProfileCredentialJson[] = [
  {
    name: "access_key_id",
    envVars: ["AWS_ACCESS_KEY_ID"],
    required: true,
    shape: shapes.awsAccessKey,
    refresh: assumedRole,
  },
  { name: "secret_access_key", envVars: ["AWS_SECRET_ACCESS_KEY"], required: true, shape: shapes.awsSecretKey },
  { name: "session_token", envVars: ["AWS_SESSION_TOKEN"], required: false, shape: unknownShape },
];

/** An AWS API: the client's signature is made with placeholders, so the request is signed afresh on its way out. */
function aws(host: string, service: string, signing: "sigv4" | "sigv4:no_body" = "sigv4"): NetworkEndpointJson {
  return { ...api(host), credentialSigning: signing, signingService: service, signingRegion: "{AWS_REGION}" };
}

/** An access token, and how the gateway gets one: it lives for an hour. */
function googleToken(
  name: string,
  whose: "service account" | "user",
  variables: readonly string[],
): ProviderProfileCredentialJson {
  const strategy =
    whose === "user"
      ? "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_OAUTH2_REFRESH_TOKEN"
      : "PROVIDER_CREDENTIAL_REFRESH_STRATEGY_GOOGLE_SERVICE_ACCOUNT_JWT";
  const refresh: ProviderProfileCredentialJson["refresh"] = {
    strategy,
    tokenUrl: "https://oauth2.googleapis.com/token",
    scopes: ["https://www.googleapis.com/auth/cloud-platform"],
  } as const;
  return {
    ...bearer(variables, unknownShape),
    name,
    description: `Access token of a ${whose}`,
    required: false,
    refresh,
  };
}

const s3 = [aws("s3.{AWS_REGION}.amazonaws.com", "s3"), aws("*.s3.{AWS_REGION}.amazonaws.com", "s3")];
const bedrock = [
  aws("bedrock.{AWS_REGION}.amazonaws.com", "bedrock"),
  aws("bedrock-runtime.{AWS_REGION}.amazonaws.com", "bedrock"),
];

export const cloudProfiles: readonly ProviderProfileJson[] = [
  {
    id: "aws",
    displayName: "Amazon Web Services",
    description: "Credentials alone: which of the APIs may be used, the policy says, with a binding to the provider.",
    category: "PROVIDER_PROFILE_CATEGORY_DATA",
    credentials: awsCredentials,
    discovery: settings("AWS_REGION"),
  },
  {
    id: "aws-s3",
    displayName: "Amazon S3",
    description: "Say which region with --config AWS_REGION=….",
    category: "PROVIDER_PROFILE_CATEGORY_DATA",
    credentials: awsCredentials,
    discovery: settings("AWS_REGION"),
    endpoints: s3,
    binaries: anyProgram,
  },
  {
    id: "aws-bedrock",
    displayName: "Amazon Bedrock",
    description: "Say which region with --config AWS_REGION=…, or where a bridge is with --config BEDROCK_BASE_URL=….",
    category: "PROVIDER_PROFILE_CATEGORY_INFERENCE",
    inferenceCapable: true,
    // Either AWS's keys or a key of Bedrock's own; a bridge has keys by itself.
    credentials: [
      ...awsCredentials.map((credential) => ({ ...credential, required: false })),
      { ...bearer(["AWS_BEARER_TOKEN_BEDROCK"], unknownShape), required: false },
    ],
    discovery: settings("AWS_REGION", "BEDROCK_BASE_URL"),
    endpoints: bedrock,
    binaries: anyProgram,
  },
  {
    id: "google-cloud",
    displayName: "Google Cloud",
    description: "An access token: which of the APIs may be used, the policy says, with a binding to the provider.",
    category: "PROVIDER_PROFILE_CATEGORY_DATA",
    credentials: [
      googleToken("service_account_token", "service account", ["GCP_SA_ACCESS_TOKEN"]),
      googleToken("adc_token", "user", ["GCP_ADC_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"]),
    ],
  },
  {
    id: "google-vertex-ai",
    displayName: "Google Vertex AI",
    description:
      "Say which project with --config VERTEX_AI_PROJECT_ID=…, and where with VERTEX_AI_REGION (us-central1).",
    category: "PROVIDER_PROFILE_CATEGORY_INFERENCE",
    inferenceCapable: true,
    credentials: [
      googleToken("service_account_token", "service account", [
        "GOOGLE_VERTEX_AI_SERVICE_ACCOUNT_TOKEN",
        "VERTEX_AI_SERVICE_ACCOUNT_TOKEN",
      ]),
      googleToken("gcloud_adc_token", "user", [
        "GOOGLE_VERTEX_AI_TOKEN",
        "VERTEX_AI_TOKEN",
        "GOOGLE_OAUTH_ACCESS_TOKEN",
      ]),
    ],
    discovery: settings("VERTEX_AI_PROJECT_ID", "VERTEX_AI_REGION", "GOOGLE_VERTEX_AI_BASE_URL"),
    endpoints: [
      api("*-aiplatform.googleapis.com"),
      api("aiplatform.googleapis.com"),
      api("aiplatform.us.rep.googleapis.com"),
      api("aiplatform.eu.rep.googleapis.com"),
    ],
    binaries: anyProgram,
  },
  {
    id: "generic",
    displayName: "Any other service",
    description: "Credentials by any name; endpoints of the policy bind them with credential_binding.",
    category: "PROVIDER_PROFILE_CATEGORY_OTHER",
  },
];
