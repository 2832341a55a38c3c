/** Where a provider's credentials may go: its profile's endpoints, as its configuration makes them. */
import { clone, create } from "@bufbuild/protobuf";
import { type NetworkEndpoint, NetworkEndpointSchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type { ProviderProfile } from "../../gen/openshell/v1/provider_pb.ts";
import { invalid } from "../refuse.ts";

type Config = Readonly<Record<string, string>>;

/** Throws INVALID_ARGUMENT when the configuration lacks what the profile needs, or holds no usable base URL. */
export function profileEndpoints(profile: ProviderProfile, config: Config): NetworkEndpoint[] {
  const baseUrl = Object.entries(config).find(([key]) => key.endsWith("_BASE_URL"));
  // Whoever moves an API elsewhere does not want the key to go to the usual place as well.
  if (baseUrl !== undefined) return [baseUrlEndpoint(...baseUrl)];
  return profile.endpoints.map((endpoint) => configured(profile, endpoint, config));
}

function baseUrlEndpoint(key: string, value: string): NetworkEndpoint {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:") || url.username !== "") {
    throw invalid(`config ${key}: must be a URL such as https://models.example.com/v1`);
  }
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const path = url.pathname === "/" ? "" : `${url.pathname.replace(/\/$/, "")}/**`;
  return create(NetworkEndpointSchema, {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    ports: [port],
    protocol: "rest",
    access: "full",
    path,
  });
}

function configured(profile: ProviderProfile, endpoint: NetworkEndpoint, config: Config): NetworkEndpoint {
  const fill = (text: string) =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = config[name];
      if (value === undefined) throw invalid(`a provider of type ${profile.id} needs --config ${name}=…`);
      return value;
    });
  const filled = clone(NetworkEndpointSchema, endpoint);
  filled.host = fill(endpoint.host);
  filled.signingRegion = fill(endpoint.signingRegion);
  if (filled.ports.length === 0) filled.ports = [filled.port];
  return filled;
}
