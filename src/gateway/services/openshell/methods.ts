import type { ServiceImpl } from "@connectrpc/connect";
import type { OpenShell } from "../../../gen/openshell/v1/openshell_pb.ts";

/** Some of the service's methods. */
export type Methods = Partial<ServiceImpl<typeof OpenShell>>;
