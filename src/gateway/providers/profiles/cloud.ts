/** Built-in profiles of clouds. `{NAME}` in a host stands for the provider's configuration of that name. */
import type { NetworkEndpointJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { ProviderProfileCredentialJson, ProviderProfileJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { anyProgram, api, bearer } from "./parts.ts";
import { shapes, unknownShape } from "./shapes.ts";

const awsCredentials: ProviderProfileCredentialJson[] = [
  { name: "access_key_id", envVars: ["AWS_ACCESS_KEY_ID"], required: true, shape: shapes.awsAccessKey },
  { name: "secret_access_key", envVars: ["AWS_SECRET_ACCESS_KEY"], required: true, shape: shapes.awsSecretKey },
  { name: "session_token", envVars: ["AWS_SESSION_TOKEN"], required: false, shape: unknownShape },
];

/** An AWS API: the client's signature is made with placeholders, so the request is signed afresh on its way out. */
function aws(host: string, service: string, signing: "sigv4" | "sigv4:no_body" = "sigv4"): NetworkEndpointJson {
  return { ...api(host), credentialSigning: signing, signingService: service, signingRegion: "{AWS_REGION}" };
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
  },
  {
    id: "aws-s3",
    displayName: "Amazon S3",
    description: "Say which region with --config AWS_REGION=….",
    category: "PROVIDER_PROFILE_CATEGORY_DATA",
    credentials: awsCredentials,
    endpoints: s3,
    binaries: anyProgram,
  },
  {
    id: "aws-bedrock",
    displayName: "Amazon Bedrock",
    description: "Say which region with --config AWS_REGION=….",
    category: "PROVIDER_PROFILE_CATEGORY_INFERENCE",
    inferenceCapable: true,
    credentials: awsCredentials,
    endpoints: bedrock,
    binaries: anyProgram,
  },
  {
    id: "google-cloud",
    displayName: "Google Cloud",
    description: "An access token: which of the APIs may be used, the policy says, with a binding to the provider.",
    category: "PROVIDER_PROFILE_CATEGORY_DATA",
    credentials: [{ ...bearer(["GOOGLE_OAUTH_ACCESS_TOKEN"], unknownShape), name: "access_token", required: false }],
  },
  {
    id: "google-vertex-ai",
    displayName: "Google Vertex AI",
    description: "Say which region with --config GOOGLE_CLOUD_REGION=….",
    category: "PROVIDER_PROFILE_CATEGORY_INFERENCE",
    inferenceCapable: true,
    credentials: [{ ...bearer(["GOOGLE_OAUTH_ACCESS_TOKEN"], unknownShape), name: "access_token", required: false }],
    endpoints: [api("{GOOGLE_CLOUD_REGION}-aiplatform.googleapis.com"), api("aiplatform.googleapis.com")],
    binaries: anyProgram,
  },
  {
    id: "generic",
    displayName: "Any other service",
    description: "Credentials by any name; endpoints of the policy bind them with credential_binding.",
    category: "PROVIDER_PROFILE_CATEGORY_OTHER",
  },
];
