/** What real keys look like, so that programs which check a key before they use it take a placeholder for one. */
import type { CredentialShapeJson } from "../../../gen/openshell/v1/provider_pb.ts";

const digits = "0123456789";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const alphanumeric = digits + upper + lower;
const base64url = `${alphanumeric}-_`;

function shape(prefix: string, alphabet: string, length: number): CredentialShapeJson {
  return { prefix, alphabet, length };
}

/** For a secret of which nothing is known. */
export const unknownShape = shape("openshell_", alphanumeric, 50);

export const shapes = {
  anthropic: shape("sk-ant-api03-", base64url, 108),
  awsAccessKey: shape("AKIA", upper + digits, 20),
  awsSecretKey: shape("", alphanumeric, 40),
  cohere: shape("", alphanumeric, 40),
  github: shape("ghp_", alphanumeric, 40),
  gitlab: shape("glpat-", base64url, 26),
  google: shape("AIza", base64url, 39),
  groq: shape("gsk_", alphanumeric, 56),
  lettersAndDigits: shape("", alphanumeric, 32),
  npm: shape("npm_", alphanumeric, 40),
  nvidia: shape("nvapi-", base64url, 70),
  openai: shape("sk-proj-", base64url, 164),
  openrouter: shape("sk-or-v1-", `${digits}abcdef`, 73),
  pypi: shape("pypi-", base64url, 184),
} as const;
