import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceEndpointResponseSchema } from "../../../gen/openshell/v1/access_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { type ServiceRecord, serviceUrl } from "../../exposed/exposed-services.ts";
import { workspaceName } from "../../workspaces/workspace.ts";
import type { Methods } from "./methods.ts";
import { pageLimit } from "./sandboxes.ts";

/** HTTP services of sandboxes by host names. */
export function exposedMethods({ registry, exposedServices, servicePort }: GatewayContext): Methods {
  return {
    async exposeService({ workspace, sandbox, service, targetPort }) {
      const record = await exposedServices.expose(await registry.findByName(workspace, sandbox), service, targetPort);
      return message(record, await servicePort.open());
    },
    async getService({ workspace, sandbox, service }) {
      const record = await exposedServices.get(await registry.findByName(workspace, sandbox), service);
      return message(record, await servicePort.open());
    },
    async listServices({ workspace, allWorkspaces, sandbox, limit, offset }) {
      const sandboxId = sandbox === "" ? undefined : (await registry.findByName(workspace, sandbox)).id;
      const found = await exposedServices.list({
        ...(!allWorkspaces && { workspace: workspaceName(workspace) }),
        ...(sandboxId !== undefined && { sandboxId }),
      });
      if (found.length === 0) return { services: [] };
      const port = await servicePort.open();
      return { services: found.slice(offset, offset + pageLimit(limit)).map((record) => message(record, port)) };
    },
    async deleteService({ workspace, sandbox, service }) {
      await exposedServices.remove(await registry.findByName(workspace, sandbox), service);
      return { deleted: true };
    },
  };
}

function message(record: ServiceRecord, port: number): MessageInitShape<typeof ServiceEndpointResponseSchema> {
  const { id, name, workspace, createdAtMs, resourceVersion, body } = record;
  const { sandboxId, sandboxName, service: serviceName, targetPort } = body;
  const numbers = { createdAtMs: BigInt(createdAtMs), resourceVersion: BigInt(resourceVersion) };
  const metadata = { id, name, workspace, ...numbers };
  const endpoint = { metadata, sandboxId, sandboxName, serviceName, targetPort, domain: true };
  return { endpoint, url: serviceUrl(record, port) };
}
