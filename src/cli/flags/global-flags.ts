/**
 * Flags that every command takes, before or after its name.
 */
import { anyText, count, text, toggle, valueOr } from "./flag.ts";

/** The one whose sandboxes the gateway also finds by name where it wants an id. */
export const DEFAULT_WORKSPACE = "default";

export const globalFlags = {
  gateway: text("use this gateway instead of the active one", {
    short: "g",
    placeholder: "NAME",
    environment: "OPENSHELL_GATEWAY",
  }),
  "gateway-endpoint": text("talk to this address instead of a registered gateway", {
    placeholder: "URL",
    environment: "OPENSHELL_GATEWAY_ENDPOINT",
  }),
  "gateway-insecure": toggle("do not verify the gateway's certificate"),
  workspace: valueOr("workspace to work in", anyText, {
    short: "w",
    placeholder: "NAME",
    environment: "OPENSHELL_WORKSPACE",
    initial: DEFAULT_WORKSPACE,
    shownDefault: DEFAULT_WORKSPACE,
  }),
  verbose: count("say more about what is done; may be repeated", "v"),
  help: toggle("show what the command does and its flags", { short: "h" }),
};
