/** The pieces that built-in profiles are put together from. */
import type { NetworkEndpointJson } from "../../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type {
  CredentialShapeJson,
  ProviderProfileCredentialJson,
  ProviderProfileDiscoveryJson,
} from "../../../gen/openshell/v1/provider_pb.ts";

/** A key that goes into `Authorization: Bearer`. */
export function bearer(variables: readonly string[], shape: CredentialShapeJson): ProviderProfileCredentialJson {
  return { name: "api_key", envVars: [...variables], required: true, authStyle: "bearer", shape };
}

/** A key that goes into a header of its own. */
export function header(
  variables: readonly string[],
  headerName: string,
  shape: CredentialShapeJson,
): ProviderProfileCredentialJson {
  return { ...bearer(variables, shape), authStyle: "header", headerName };
}

/** Variables of settings that go with the credentials: a key for another place must not be sent to the usual one. */
export function settings(...config: readonly string[]): ProviderProfileDiscoveryJson {
  return { config: [...config] };
}

/** A web API, every request of which is inspected. */
export function api(host: string, access: "read-only" | "full" = "full", path = ""): NetworkEndpointJson {
  return { host, port: 443, protocol: "rest", access, ...(path !== "" && { path }) };
}

/** A Git server over HTTPS: clone and fetch, no push. */
export function gitFetch(host: string): NetworkEndpointJson {
  return {
    host,
    port: 443,
    protocol: "rest",
    rules: [
      { allow: { method: "GET", path: "/**/info/refs", query: { service: { glob: "git-upload-pack" } } } },
      { allow: { method: "POST", path: "/**/git-upload-pack" } },
    ],
  };
}

/** Programs by their paths. */
export function programs(...paths: readonly string[]): { readonly path: string }[] {
  return paths.map((path) => ({ path }));
}

/** For APIs that any language's library may call: who may ask is the sandbox, what it may ask is the endpoint. */
export const anyProgram = programs("any");
