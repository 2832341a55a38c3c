/**
 * A sandbox that is built before anybody has asked for it, on the guess that the next one will have the same fixed
 * sections as the last. A wrong guess costs nothing but work that was done while nobody waited.
 */
import type { LandlockRule } from "../../linux/landlock.ts";
import { systemCertificates } from "../../net/system-certificates.ts";
import type { Policy } from "../../policy/policy.ts";
import { SandboxAuthority } from "../egress/07-terminate/certificate-authority.ts";
import { trustBundle } from "../egress/07-terminate/trust-bundle.ts";
import type { LaunchSpec, Preparation, SandboxDirectories } from "../launch-spec.ts";
import { readPolicyMessage } from "../policy-in-force.ts";
import { type Blueprint, drawBlueprint, isSameBlueprint } from "./blueprint.ts";
import type { ImageInPod } from "./image-in-pod.ts";
import { awaitInit, joinContainer, type WaitingInit } from "./join-container.ts";
import type { LaunchedChain } from "./launch.ts";
import { closeListeners } from "./listener-descriptors.ts";
import { nameSandbox, raiseSandbox } from "./raise-sandbox.ts";
import type { LaunchedSandbox } from "./take-over.ts";
import type { SandboxTrust } from "./trust-files.ts";

export interface PreparedSandbox {
  readonly authority: SandboxAuthority;
  /** The authorities of the system and of the gateway's user, in PEM. */
  readonly upstreamCertificates: string;
  /** What programs trust: these, some more of their image's, and the sandbox's own authority. */
  readonly trust: (imageCertificates: string) => SandboxTrust;
  readonly directories: SandboxDirectories;
  readonly raised?: { readonly blueprint: Blueprint; readonly sandbox: Promise<LaunchedChain> };
  /** Absent where the supervisor builds the sandbox by itself. */
  readonly container?: WaitingInit;
}

export interface BuiltSandbox extends LaunchedSandbox {
  /** Present where the supervisor had to see for itself what the image is. */
  readonly image?: ImageInPod;
  /** See LaunchedChain; absent in a container. */
  readonly chainPid?: number;
  /** What Landlock allows. */
  readonly rules: readonly LandlockRule[];
  /** What the policy asked for and this machine could not give. */
  readonly warnings: readonly string[];
}

/** Makes what every sandbox needs, and begins to build where it is known what for. */
export function prepareSandbox(preparation: Preparation): PreparedSandbox {
  const { sandboxId, directories, expectedPolicy, extraCertificates, container } = preparation;
  const authority = new SandboxAuthority(sandboxId);
  // A container's own system is nobody's: the driver gives the machine's authorities there, and the image's.
  const upstreamCertificates = container ? extraCertificates : trustBundle(systemCertificates(), extraCertificates);
  const trust = (image: string): SandboxTrust => {
    const bundle = trustBundle(
      image === "" ? upstreamCertificates : trustBundle(upstreamCertificates, image),
      authority.pem,
    );
    return { bundle, authority: authority.pem };
  };
  const prepared = {
    authority,
    upstreamCertificates,
    trust,
    directories,
    ...(container && { container: awaitInit(container) }),
  };
  const expected = expectedPolicy === undefined ? undefined : readPolicyMessage(expectedPolicy);
  if (!expected?.ok) return prepared;
  const blueprint = drawBlueprint(expected.policy, directories, { folders: [], limits: { join: [] } });
  const sandbox = raiseSandbox(blueprint, directories, trust(""));
  // If it fails, it fails again for whoever wants it, and is reported there.
  sandbox.catch(() => undefined);
  return { ...prepared, raised: { blueprint, sandbox } };
}

/**
 * The sandbox that was asked for: the prepared one if it is what the policy wants, else a new one.
 * @throws Error that says what this machine or the policy lacks
 */
export async function finishSandbox(
  prepared: PreparedSandbox,
  spec: LaunchSpec,
  policy: Policy,
): Promise<BuiltSandbox> {
  const { container: init, trust } = prepared;
  if (init !== undefined) {
    return { ...(await joinContainer(init, { spec, policy, trust })), warnings: [] };
  }
  const blueprint = drawBlueprint(policy, spec.directories, spec);
  const sandbox = (await fitting(prepared, blueprint)) ?? (await raiseSandbox(blueprint, spec.directories, trust("")));
  await nameSandbox(sandbox, spec.directories, { sandboxName: spec.sandboxName, policy: spec.policyText });
  return { ...sandbox, rules: blueprint.plan.landlock, warnings: blueprint.plan.warnings };
}

/** Ends what was built in vain. */
export async function discardSandbox({ raised }: PreparedSandbox): Promise<void> {
  const sandbox = await raised?.sandbox.catch(() => undefined);
  if (sandbox) await discard(sandbox);
}

async function fitting({ raised }: PreparedSandbox, blueprint: Blueprint): Promise<LaunchedChain | undefined> {
  const sandbox = await raised?.sandbox.catch(() => undefined);
  if (!raised || !sandbox || isSameBlueprint(raised.blueprint, blueprint)) return sandbox;
  await discard(sandbox);
  return undefined;
}

async function discard(sandbox: LaunchedChain): Promise<void> {
  sandbox.kill();
  closeListeners(sandbox.listeners);
  // Its mounts lie in the same folders as the next one's.
  await sandbox.ended;
}
