/** Whether a profile that somebody wrote can be used. */
import { create } from "@bufbuild/protobuf";
import { SandboxPolicySchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import {
  type ProviderProfile,
  type ProviderProfileCredential,
  type ProviderProfileDiagnostic,
  ProviderProfileDiagnosticSchema,
  type ProviderProfileImportItem,
  ProviderCredentialRefreshStrategy as Strategy,
} from "../../gen/openshell/v1/provider_pb.ts";
import { policyFromMessage } from "../../policy/wire.ts";
import { isVariableName } from "./check-provider.ts";
import { builtInProfile, profileId } from "./profiles/built-in.ts";

interface Fault {
  readonly field: string;
  readonly message: string;
  readonly severity: "error" | "warning";
}

const ID = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const authStyles = ["", "bearer", "header", "basic", "query", "path"];

/** What is wrong with a profile; empty if nothing is. */
export function checkProfile({ profile, source }: ProviderProfileImportItem): ProviderProfileDiagnostic[] {
  const faults: Fault[] =
    profile === undefined
      ? [error("profile", "is missing")]
      : [
          ...checkId(profile),
          ...profile.credentials.flatMap(checkCredential),
          ...checkDiscovery(profile),
          ...checkRule(profile),
        ];
  return faults.map((fault) =>
    create(ProviderProfileDiagnosticSchema, { ...fault, source, profileId: profile?.id ?? "" }),
  );
}

function checkId({ id }: ProviderProfile): Fault[] {
  if (!ID.test(id)) return [error("id", "must be lower-case letters, digits and inner hyphens, at most 63")];
  if (builtInProfile(profileId(id)) === undefined) return [];
  return [error("id", `"${id}" is the name of a built-in profile; choose another`)];
}

function checkCredential(credential: ProviderProfileCredential, index: number): Fault[] {
  const { envVars, authStyle, headerName, queryParam, shape, tokenGrant } = credential;
  const at = `credentials[${index}]`;
  const faults: Fault[] = [];
  if (envVars.length === 0) faults.push(error(`${at}.env_vars`, "is empty: no variable would hold the credential"));
  for (const name of envVars) {
    if (!isVariableName(name)) faults.push(error(`${at}.env_vars`, `"${name}" is not a variable's name`));
  }
  if (!authStyles.includes(authStyle)) {
    faults.push(error(`${at}.auth_style`, `must be one of ${authStyles.slice(1).join(", ")}`));
  }
  if (authStyle === "header" && headerName === "") faults.push(error(`${at}.header_name`, "is missing"));
  if (authStyle === "query" && queryParam === "") faults.push(error(`${at}.query_param`, "is missing"));
  // Other characters would be spelled differently in a query, and not be found there.
  if (shape !== undefined && !/^[A-Za-z0-9_.-]*$/.test(shape.prefix + shape.alphabet)) {
    faults.push(error(`${at}.shape`, "may use letters, digits, `_`, `.` and `-` only"));
  }
  if (shape !== undefined && shape.length > 256) faults.push(error(`${at}.shape`, "is longer than 256 characters"));
  if (tokenGrant !== undefined) {
    faults.push(error(`${at}.token_grant`, "is not supported: the gateway gets tokens by `refresh`"));
  }
  return [...faults, ...checkRefresh(credential, `${at}.refresh`)];
}

function checkRefresh({ refresh }: ProviderProfileCredential, at: string): Fault[] {
  if (refresh === undefined) return [];
  const { strategy, refreshBeforeSeconds, maxLifetimeSeconds, additionalOutputs } = refresh;
  const faults: Fault[] = [];
  if (strategy === Strategy.UNSPECIFIED) faults.push(error(`${at}.strategy`, "is missing"));
  if (refreshBeforeSeconds < 0n) faults.push(error(`${at}.refresh_before_seconds`, "must not be negative"));
  if (maxLifetimeSeconds < 0n) faults.push(error(`${at}.max_lifetime_seconds`, "must not be negative"));
  if (additionalOutputs.length > 0 && strategy !== Strategy.AWS_STS_ASSUME_ROLE) {
    faults.push(error(`${at}.additional_outputs`, "are those of aws_sts_assume_role: other services give one token"));
  }
  return faults;
}

/** What `--from-existing` looks for must be something that the profile has. */
function checkDiscovery({ credentials, discovery }: ProviderProfile): Fault[] {
  const unknown = discovery?.credentials.filter((name) => credentials.every((each) => each.name !== name)) ?? [];
  const misnamed = discovery?.config.filter((name) => !isVariableName(name)) ?? [];
  return [
    ...unknown.map((name) => error("discovery.credentials", `"${name}" is not the name of a credential`)),
    ...misnamed.map((name) => error("discovery.config", `"${name}" is not a variable's name`)),
  ];
}

/** The endpoints are checked as the rule that they will be. Configuration is filled in with what any host may hold. */
function checkRule({ endpoints, binaries }: ProviderProfile): Fault[] {
  if (endpoints.length === 0) return [];
  const filled = endpoints.map((endpoint) => ({
    ...endpoint,
    host: endpoint.host.replace(/\{\w+\}/g, "x"),
    signingRegion: endpoint.signingRegion.replace(/\{\w+\}/g, "x"),
  }));
  const rule = { endpoints: filled, binaries };
  const result = policyFromMessage(create(SandboxPolicySchema, { version: 1, networkPolicies: { profile: rule } }));
  return (result.ok ? result.warnings : result.problems).map(({ key, message, severity }) => ({
    field: key.slice(2).join("."),
    message,
    severity,
  }));
}

function error(field: string, message: string): Fault {
  return { field, message, severity: "error" };
}
