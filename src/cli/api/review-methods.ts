/** The methods about what a sandbox has changed; docs/api.md tells what each does. */
import type {
  DiscardChangesRequestJson,
  DiscardChangesResponseJson,
  ReviewWorkspaceEventJson,
  ReviewWorkspaceRequestJson,
} from "../../gen/openshell/v1/review_pb.ts";
import { jsonStream, unaryMethod } from "./method.ts";

export const reviewWorkspace = jsonStream<ReviewWorkspaceRequestJson, ReviewWorkspaceEventJson>("ReviewWorkspace");
export const discardChanges = unaryMethod<DiscardChangesRequestJson, DiscardChangesResponseJson>("DiscardChanges");
