/**
 * The methods about providers and their profiles.
 */
import type {
  AttachSandboxProviderRequestJson,
  AttachSandboxProviderResponseJson,
  ConfigureProviderRefreshRequestJson,
  ConfigureProviderRefreshResponseJson,
  CreateProviderRequestJson,
  DeleteProviderProfileRequestJson,
  DeleteProviderProfileResponseJson,
  DeleteProviderRefreshRequestJson,
  DeleteProviderRefreshResponseJson,
  DeleteProviderRequestJson,
  DeleteProviderResponseJson,
  DetachSandboxProviderRequestJson,
  DetachSandboxProviderResponseJson,
  GetProviderProfileRequestJson,
  GetProviderRefreshStatusRequestJson,
  GetProviderRefreshStatusResponseJson,
  GetProviderRequestJson,
  ImportProviderProfilesRequestJson,
  ImportProviderProfilesResponseJson,
  LintProviderProfilesRequestJson,
  LintProviderProfilesResponseJson,
  ListProviderProfilesRequestJson,
  ListProviderProfilesResponseJson,
  ListProvidersRequestJson,
  ListProvidersResponseJson,
  ListSandboxProvidersRequestJson,
  ListSandboxProvidersResponseJson,
  ProviderProfileResponseJson,
  ProviderResponseJson,
  RotateProviderCredentialRequestJson,
  RotateProviderCredentialResponseJson,
  RotateSecretsKeyRequestJson,
  RotateSecretsKeyResponseJson,
  UpdateProviderProfilesRequestJson,
  UpdateProviderProfilesResponseJson,
  UpdateProviderRequestJson,
} from "../../gen/openshell/v1/provider_pb.ts";
import { unaryMethod } from "./method.ts";

export const createProvider = unaryMethod<CreateProviderRequestJson, ProviderResponseJson>("CreateProvider");
export const getProvider = unaryMethod<GetProviderRequestJson, ProviderResponseJson>("GetProvider");
export const listProviders = unaryMethod<ListProvidersRequestJson, ListProvidersResponseJson>("ListProviders");
export const updateProvider = unaryMethod<UpdateProviderRequestJson, ProviderResponseJson>("UpdateProvider");
export const deleteProvider = unaryMethod<DeleteProviderRequestJson, DeleteProviderResponseJson>("DeleteProvider");

export const listSandboxProviders = unaryMethod<ListSandboxProvidersRequestJson, ListSandboxProvidersResponseJson>(
  "ListSandboxProviders",
);
export const attachSandboxProvider = unaryMethod<AttachSandboxProviderRequestJson, AttachSandboxProviderResponseJson>(
  "AttachSandboxProvider",
);
export const detachSandboxProvider = unaryMethod<DetachSandboxProviderRequestJson, DetachSandboxProviderResponseJson>(
  "DetachSandboxProvider",
);

export const listProviderProfiles = unaryMethod<ListProviderProfilesRequestJson, ListProviderProfilesResponseJson>(
  "ListProviderProfiles",
);
export const getProviderProfile = unaryMethod<GetProviderProfileRequestJson, ProviderProfileResponseJson>(
  "GetProviderProfile",
);
export const importProviderProfiles = unaryMethod<
  ImportProviderProfilesRequestJson,
  ImportProviderProfilesResponseJson
>("ImportProviderProfiles");
export const updateProviderProfiles = unaryMethod<
  UpdateProviderProfilesRequestJson,
  UpdateProviderProfilesResponseJson
>("UpdateProviderProfiles");
export const lintProviderProfiles = unaryMethod<LintProviderProfilesRequestJson, LintProviderProfilesResponseJson>(
  "LintProviderProfiles",
);
export const deleteProviderProfile = unaryMethod<DeleteProviderProfileRequestJson, DeleteProviderProfileResponseJson>(
  "DeleteProviderProfile",
);

export const getProviderRefreshStatus = unaryMethod<
  GetProviderRefreshStatusRequestJson,
  GetProviderRefreshStatusResponseJson
>("GetProviderRefreshStatus");
export const configureProviderRefresh = unaryMethod<
  ConfigureProviderRefreshRequestJson,
  ConfigureProviderRefreshResponseJson
>("ConfigureProviderRefresh");
export const rotateProviderCredential = unaryMethod<
  RotateProviderCredentialRequestJson,
  RotateProviderCredentialResponseJson
>("RotateProviderCredential");
export const deleteProviderRefresh = unaryMethod<DeleteProviderRefreshRequestJson, DeleteProviderRefreshResponseJson>(
  "DeleteProviderRefresh",
);

export const rotateSecretsKey = unaryMethod<RotateSecretsKeyRequestJson, RotateSecretsKeyResponseJson>(
  "RotateSecretsKey",
);
