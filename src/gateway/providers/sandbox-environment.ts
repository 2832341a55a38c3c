/**
 * What a published supervisor asks for of the providers of its sandbox: values with the places that each may go to. Ours is
 * sent the same by pushCredentials, unasked.
 */
import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SandboxPolicy } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import type {
  AttachedCredential,
  GetSandboxProviderEnvironmentResponseSchema,
  StaticCredentialBindingSchema,
} from "../../gen/openshell/v1/provider_pb.ts";
import type { GatewayContext } from "../context.ts";
import type { SandboxRecord } from "../store/store.ts";
import { attachedCredentials, attachedProviders } from "./attached-providers.ts";

type Environment = MessageInitShape<typeof GetSandboxProviderEnvironmentResponseSchema>;
type Binding = MessageInitShape<typeof StaticCredentialBindingSchema>;

/** @param bindable whether the supervisor holds credentials to their bindings; one that does not is given none */
export async function sandboxEnvironment(
  context: GatewayContext,
  record: SandboxRecord,
  bindable: boolean,
): Promise<Environment> {
  const attached = await attachedProviders(context, record);
  const { credentials, environment } = attachedCredentials(context.vault, record.id, attached);
  const given = bindable ? credentials : [];
  const policy = (await context.store.policies.effective(record.id))?.policy;
  const of = <T>(value: (credential: AttachedCredential) => T) =>
    Object.fromEntries(given.map((credential) => [credential.key, value(credential)]));
  const revised = attached.map(({ record: { id, resourceVersion } }) => `${id} ${resourceVersion}`);
  return {
    environment: { ...environment, ...of(({ secret }) => secret) },
    providerEnvRevision: revision([...revised, JSON.stringify(given.map((each) => bindingOf(each, policy)))]),
    credentialExpiresAtMs: of(({ expiresAtMs }) => expiresAtMs),
    staticCredentialBindings: of((credential) => bindingOf(credential, policy)),
    nonSecretEnvironmentKeys: Object.keys(environment),
  };
}

/** Where the credential may go: its profile's endpoints, and those of the policy that name its provider. */
function bindingOf({ provider, key, endpoints }: AttachedCredential, policy: SandboxPolicy | undefined): Binding {
  const named = Object.values(policy?.networkPolicies ?? {})
    .flatMap((rule) => rule.endpoints)
    .filter(({ credentialBinding }) => credentialBinding?.provider === provider)
    .flatMap(({ host, port, ports, path }) =>
      (ports.length > 0 ? ports : [port]).map((each) => ({ host, port: each, path })),
    );
  const all = [...endpoints.map(({ host, port, path }) => ({ host, port, path })), ...named];
  const unique = new Map(all.map((endpoint) => [JSON.stringify(endpoint), endpoint]));
  return { endpoints: [...unique.values()], credentialIdentity: `${provider}/${key}` };
}

/** Another one whenever something has changed; a supervisor compares, and no more. */
function revision(parts: readonly string[]): bigint {
  return createHash("sha256").update(parts.join("\n")).digest().readBigUInt64BE();
}
