import type { ConnectRouter } from "@connectrpc/connect";
import { Inference } from "../../../gen/openshell/inference/v1/inference_pb.ts";
import { OpenShell } from "../../../gen/openshell/v1/openshell_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { inferenceMethods } from "../inference/inference.ts";
import { execMethods } from "./exec.ts";
import { exposedMethods } from "./exposed.ts";
import { forwardMethods } from "./forward.ts";
import { identityMethods } from "./identity.ts";
import { imageMethods } from "./images.ts";
import { logMethods } from "./logs.ts";
import { policyMethods } from "./policies.ts";
import { profileMethods } from "./profiles.ts";
import { proposalMethods } from "./proposals.ts";
import { providerRefreshMethods } from "./provider-refresh.ts";
import { providerMethods } from "./providers.ts";
import { reviewMethods } from "./review.ts";
import { sandboxMethods } from "./sandboxes.ts";
import { snapshotMethods } from "./snapshots.ts";
import { sshMethods } from "./ssh.ts";
import { supervisorMethods } from "./supervisors.ts";
import { watchMethods } from "./watch.ts";
import { watchAllMethods } from "./watch-all.ts";
import { workspaceMethods } from "./workspaces.ts";

/** Everything that is served; what is not listed answers UNIMPLEMENTED by itself. */
export function apiRoutes(context: GatewayContext): (router: ConnectRouter) => void {
  return (router) => {
    router.service(OpenShell, {
      ...identityMethods(context),
      ...sandboxMethods(context),
      ...execMethods(context),
      ...forwardMethods(context),
      ...exposedMethods(context),
      ...watchMethods(context),
      ...watchAllMethods(context),
      ...logMethods(context),
      ...policyMethods(context),
      ...proposalMethods(context),
      ...providerMethods(context),
      ...profileMethods(context),
      ...providerRefreshMethods(context),
      ...sshMethods(context),
      ...workspaceMethods(context),
      ...reviewMethods(context),
      ...snapshotMethods(context),
      ...imageMethods(context),
      ...supervisorMethods(context),
    });
    router.service(Inference, inferenceMethods(context));
  };
}
