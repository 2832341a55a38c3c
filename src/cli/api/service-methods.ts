/** The methods about exposed services; docs/api.md tells what each does. */
import type {
  DeleteServiceRequestJson,
  DeleteServiceResponseJson,
  ExposeServiceRequestJson,
  GetServiceRequestJson,
  ListServicesRequestJson,
  ListServicesResponseJson,
  ServiceEndpointResponseJson,
} from "../../gen/openshell/v1/access_pb.ts";
import { unaryMethod } from "./method.ts";

export const exposeService = unaryMethod<ExposeServiceRequestJson, ServiceEndpointResponseJson>("ExposeService");
export const getService = unaryMethod<GetServiceRequestJson, ServiceEndpointResponseJson>("GetService");
export const listServices = unaryMethod<ListServicesRequestJson, ListServicesResponseJson>("ListServices");
export const deleteService = unaryMethod<DeleteServiceRequestJson, DeleteServiceResponseJson>("DeleteService");

/** A service as commands show it. */
export interface ServiceView {
  readonly sandbox: string;
  readonly service: string;
  readonly port: number;
  readonly url: string;
}

export function serviceView({ endpoint, url = "" }: ServiceEndpointResponseJson): ServiceView {
  const { sandboxName: sandbox = "", serviceName: service = "", targetPort: port = 0 } = endpoint ?? {};
  return { sandbox, service, port, url };
}
