import { ServiceStatus } from "../../../gen/openshell/v1/openshell_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { requireUser } from "../../server/caller.ts";
import type { Methods } from "./methods.ts";

/** Health, GetCurrentUser, GetGatewayInfo: what a client asks first. */
export function identityMethods({ version, driver }: GatewayContext): Methods {
  return {
    health: () => ({ status: ServiceStatus.HEALTHY, version }),
    getCurrentUser: (_request, { values }) => {
      const { subject, displayName, identityProvider, role } = requireUser(values);
      return {
        subject,
        displayName,
        roles: role === undefined ? [] : [role],
        scopes: [],
        identityProvider,
      };
    },
    getGatewayInfo: () => ({
      status: ServiceStatus.HEALTHY,
      gatewayVersion: version,
      computeDrivers: [{ name: driver.name, capabilities: { driverName: driver.name, driverVersion: driver.version } }],
    }),
  };
}
