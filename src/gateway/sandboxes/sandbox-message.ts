import { create } from "@bufbuild/protobuf";
import { ObjectMetaSchema } from "../../gen/openshell/datamodel/v1/datamodel_pb.ts";
import { type Sandbox, SandboxSchema } from "../../gen/openshell/v1/sandbox_pb.ts";
import type { SandboxRecord } from "../store/store.ts";

/** A sandbox as the API shows it: the record without what is the gateway's own. */
export function sandboxMessage(record: SandboxRecord): Sandbox {
  return create(SandboxSchema, {
    metadata: create(ObjectMetaSchema, {
      id: record.id,
      name: record.name,
      createdAtMs: BigInt(record.createdAtMs),
      labels: { ...record.labels },
      annotations: { ...record.annotations },
      resourceVersion: BigInt(record.resourceVersion),
      workspace: record.workspace,
    }),
    spec: record.spec,
    status: record.status,
  });
}
