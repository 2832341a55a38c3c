/** The gateway's own policy: while there is one, it holds in every sandbox in place of the sandbox's. */
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { SandboxPolicySchema } from "../../gen/openshell/sandbox/v1/sandbox_pb.ts";
import { PolicyStatus } from "../../gen/openshell/v1/policy_pb.ts";
import { aborted } from "../refuse.ts";
import { newResource, type Resource, type ResourceStore } from "../store/resource-store.ts";
import type { PolicyRevisionRecord } from "../store/store.ts";
import type { CheckedPolicy } from "./check-policy.ts";

/** What is kept of the policies that the gateway has had. */
export interface GatewayPolicyBody {
  /** The version in force; 0: none is. */
  readonly inForce: number;
  /** Newest first. */
  readonly revisions: readonly StoredRevision[];
}

interface StoredRevision {
  readonly version: number;
  readonly hash: string;
  /** openshell.sandbox.v1.SandboxPolicy as ProtoJSON. */
  readonly policy: JsonValue;
  readonly createdAtMs: number;
}

/** As many as anybody looks back at; all of them are read with each change. */
const KEPT_REVISIONS = 50;

/** Sets of two callers at once: the one that was second reads again. */
const MAX_ATTEMPTS = 20;

/** The one resource of its kind. */
const place = { workspace: "gateway", name: "policy" } as const;

const nothing: GatewayPolicyBody = { inForce: 0, revisions: [] };

export class GatewayPolicy {
  readonly #store: ResourceStore<GatewayPolicyBody>;
  readonly #now: () => number;

  constructor(store: ResourceStore<GatewayPolicyBody>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Undefined where each sandbox has its own. */
  async inForce(): Promise<PolicyRevisionRecord | undefined> {
    return (await this.list()).find(({ status }) => status === PolicyStatus.LOADED);
  }

  /** Newest first; those that are not in force are superseded. */
  async list(): Promise<PolicyRevisionRecord[]> {
    const { inForce, revisions } = (await this.#find())?.body ?? nothing;
    return revisions.map(({ version, hash, policy, createdAtMs }) => ({
      version,
      hash,
      policy: fromJson(SandboxPolicySchema, policy),
      status: version === inForce ? PolicyStatus.LOADED : PolicyStatus.SUPERSEDED,
      loadError: "",
      createdAtMs,
      loadedAtMs: createdAtMs,
      provenance: { source: "set" },
    }));
  }

  /** Gives the version that is in force from now on; the one that was, where it says the same. */
  async set({ message, hash }: CheckedPolicy): Promise<{ readonly version: number; readonly unchanged: boolean }> {
    const policy = toJson(SandboxPolicySchema, message);
    const before = await this.#change(({ inForce, revisions }) => {
      const current = revisions.find(({ version }) => version === inForce);
      if (current?.hash === hash) return undefined;
      const version = (revisions[0]?.version ?? 0) + 1;
      const added = { version, hash, policy, createdAtMs: this.#now() };
      return { inForce: version, revisions: [added, ...revisions].slice(0, KEPT_REVISIONS) };
    });
    const { inForce } = (await this.#find())?.body ?? nothing;
    return { version: inForce, unchanged: !before };
  }

  /** False where there was none. */
  remove(): Promise<boolean> {
    return this.#change(({ inForce, revisions }) => (inForce === 0 ? undefined : { inForce: 0, revisions }));
  }

  /** Whether anything was changed. */
  async #change(change: (body: GatewayPolicyBody) => GatewayPolicyBody | undefined): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.#find();
      const body = change(current?.body ?? nothing);
      if (body === undefined) return false;
      const isStored =
        current === undefined
          ? await this.#store.create(newResource({ ...place, body }, this.#now()))
          : (await this.#store.update({ ...current, body })) !== undefined;
      if (isStored) return true;
    }
    throw aborted("the gateway's policy keeps changing");
  }

  #find(): Promise<Resource<GatewayPolicyBody> | undefined> {
    return this.#store.get(place.workspace, place.name);
  }
}
