/** Flags of `sandbox create` that say what it is made of, and how much of the machine its programs may use together. */
import type { SandboxSpecJson } from "../../../gen/openshell/v1/sandbox_pb.ts";
import { value } from "../../flags/flag.ts";
import { byteSize, processorShare, wholeNumber } from "../../flags/meanings.ts";

export const limitFlags = {
  cpu: value("limit its processors: 2, 0.5 or 500m", processorShare, { placeholder: "COUNT" }),
  cpus: value("the same as --cpu", processorShare, { placeholder: "COUNT" }),
  memory: value("limit its memory: 512m, 2g", byteSize, { placeholder: "SIZE" }),
  pids: value("limit its processes and threads", wholeNumber(1, 1_000_000), { placeholder: "COUNT" }),
  disk: value("limit what its files may take: 512m, 2g; looked at once a second", byteSize, { placeholder: "SIZE" }),
} as const;

interface TemplateFlags {
  readonly from: string | undefined;
  readonly cpu: number | undefined;
  readonly cpus: number | undefined;
  readonly memory: number | undefined;
  readonly pids: number | undefined;
  readonly disk: number | undefined;
}

/** As the gateway is asked, in the quantities of Kubernetes. */
export function templateSpec({ from, cpu, cpus, memory, pids, disk }: TemplateFlags): SandboxSpecJson {
  const millis = cpu ?? cpus;
  const limits = {
    ...(millis !== undefined && { cpu: `${millis}m` }),
    ...(memory !== undefined && { memory: `${memory}` }),
    ...(pids !== undefined && { pids: `${pids}` }),
    ...(disk !== undefined && { "ephemeral-storage": `${disk}` }),
  };
  const isLimited = Object.keys(limits).length > 0;
  const template = { ...(from !== undefined && { image: from }), ...(isLimited && { resources: { limits } }) };
  return Object.keys(template).length === 0 ? {} : { template };
}
