/** Flags of `sandbox create` that say what it is made of, and how much of the machine its programs may use together. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { SandboxSpecJson } from "../../../gen/openshell/v1/sandbox_pb.ts";
import { optionalValue, value } from "../../flags/flag.ts";
import { byteSize, jsonObject, processorShare, wholeNumber } from "../../flags/meanings.ts";

/** No number of them that could be asked for. */
const ALL_GPUS = 0;

export const limitFlags = {
  cpu: value("limit its processors: 2, 0.5 or 500m", processorShare, { placeholder: "COUNT" }),
  cpus: value("the same as --cpu", processorShare, { placeholder: "COUNT" }),
  memory: value("limit its memory: 512m, 2g", byteSize, { placeholder: "SIZE" }),
  pids: value("limit its processes and threads", wholeNumber(1, 1_000_000), { placeholder: "COUNT" }),
  disk: value("limit what its files may take: 512m, 2g; looked at once a second", byteSize, { placeholder: "SIZE" }),
  gpu: optionalValue("with --from: give it so many of the machine's GPUs, or all of them", wholeNumber(1, 64), {
    placeholder: "COUNT",
    bare: ALL_GPUS,
  }),
  "driver-config-json": value(
    "with --from: what only its engine knows, as volumes: see docs/containers.md",
    jsonObject,
    {
      placeholder: "JSON",
    },
  ),
} as const;

interface TemplateFlags {
  readonly from: string | undefined;
  readonly cpu: number | undefined;
  readonly cpus: number | undefined;
  readonly memory: number | undefined;
  readonly pids: number | undefined;
  readonly disk: number | undefined;
  readonly gpu: number | undefined;
  readonly "driver-config-json": JsonObject | undefined;
}

/** As the gateway is asked, in the quantities of Kubernetes. */
export function templateSpec(flags: TemplateFlags): SandboxSpecJson {
  const { from, cpu, cpus, memory, pids, disk, gpu, "driver-config-json": driverConfig } = flags;
  const millis = cpu ?? cpus;
  const limits = {
    ...(millis !== undefined && { cpu: `${millis}m` }),
    ...(memory !== undefined && { memory: `${memory}` }),
    ...(pids !== undefined && { pids: `${pids}` }),
    ...(disk !== undefined && { "ephemeral-storage": `${disk}` }),
  };
  const isLimited = Object.keys(limits).length > 0;
  const template = {
    ...(from !== undefined && { image: from }),
    ...(isLimited && { resources: { limits } }),
    ...(driverConfig && { driverConfig }),
  };
  return {
    ...(Object.keys(template).length > 0 && { template }),
    ...(gpu !== undefined && { resourceRequirements: { gpu: gpu === ALL_GPUS ? {} : { count: gpu } } }),
  };
}
