/**
 * The methods that commands call; docs/api.md tells what each does.
 */
import type {
  GetGatewayConfigRequestJson,
  GetGatewayConfigResponseJson,
  GetSandboxConfigRequestJson,
  GetSandboxConfigResponseJson,
} from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type {
  GetCurrentUserRequestJson,
  GetCurrentUserResponseJson,
  GetGatewayInfoRequestJson,
  GetGatewayInfoResponseJson,
  HealthRequestJson,
  HealthResponseJson,
} from "../../gen/openshell/v1/openshell_pb.ts";
import type {
  GetSandboxPolicyStatusRequestJson,
  GetSandboxPolicyStatusResponseJson,
  UpdateConfigRequestJson,
  UpdateConfigResponseJson,
} from "../../gen/openshell/v1/policy_pb.ts";
import type {
  CreateSandboxRequestJson,
  DeleteSandboxRequestJson,
  DeleteSandboxResponseJson,
  GetSandboxRequestJson,
  ListSandboxesRequestJson,
  ListSandboxesResponseJson,
  ListSandboxPoliciesRequestJson,
  ListSandboxPoliciesResponseJson,
  SandboxResponseJson,
  StartSandboxRequestJson,
  StopSandboxRequestJson,
} from "../../gen/openshell/v1/sandbox_pb.ts";
import type {
  GetSandboxLogsRequestJson,
  GetSandboxLogsResponseJson,
  SandboxStreamEventJson,
  WatchSandboxesRequestJson,
  WatchSandboxRequestJson,
} from "../../gen/openshell/v1/watch_pb.ts";
import { jsonStream, unaryMethod } from "./method.ts";

export const health = unaryMethod<HealthRequestJson, HealthResponseJson>("Health");
export const getCurrentUser = unaryMethod<GetCurrentUserRequestJson, GetCurrentUserResponseJson>("GetCurrentUser");
export const getGatewayInfo = unaryMethod<GetGatewayInfoRequestJson, GetGatewayInfoResponseJson>("GetGatewayInfo");

export const createSandbox = unaryMethod<CreateSandboxRequestJson, SandboxResponseJson>("CreateSandbox");
export const getSandbox = unaryMethod<GetSandboxRequestJson, SandboxResponseJson>("GetSandbox");
export const listSandboxes = unaryMethod<ListSandboxesRequestJson, ListSandboxesResponseJson>("ListSandboxes");
export const deleteSandbox = unaryMethod<DeleteSandboxRequestJson, DeleteSandboxResponseJson>("DeleteSandbox");
export const stopSandbox = unaryMethod<StopSandboxRequestJson, SandboxResponseJson>("StopSandbox");
export const startSandbox = unaryMethod<StartSandboxRequestJson, SandboxResponseJson>("StartSandbox");

export const getSandboxConfig = unaryMethod<GetSandboxConfigRequestJson, GetSandboxConfigResponseJson>(
  "GetSandboxConfig",
);
export const getGatewayConfig = unaryMethod<GetGatewayConfigRequestJson, GetGatewayConfigResponseJson>(
  "GetGatewayConfig",
);
export const updateConfig = unaryMethod<UpdateConfigRequestJson, UpdateConfigResponseJson>("UpdateConfig");
export const getSandboxPolicyStatus = unaryMethod<
  GetSandboxPolicyStatusRequestJson,
  GetSandboxPolicyStatusResponseJson
>("GetSandboxPolicyStatus");
export const listSandboxPolicies = unaryMethod<ListSandboxPoliciesRequestJson, ListSandboxPoliciesResponseJson>(
  "ListSandboxPolicies",
);

export const getSandboxLogs = unaryMethod<GetSandboxLogsRequestJson, GetSandboxLogsResponseJson>("GetSandboxLogs");
export const watchSandboxes = jsonStream<WatchSandboxesRequestJson, SandboxStreamEventJson>("WatchSandboxes");
export const watchSandbox = jsonStream<WatchSandboxRequestJson, SandboxStreamEventJson>("WatchSandbox");
