/** The entry of the gateway that runs on this machine; it is the one that commands start when it does not run. */
export const LOCAL_GATEWAY_NAME = "openshell";
