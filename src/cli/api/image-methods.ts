/** The methods about images for sandboxes; docs/api.md tells what each does. */
import type { BuildImageRequestJson, ImageEventJson, PullImageRequestJson } from "../../gen/openshell/v1/image_pb.ts";
import { jsonStream } from "./method.ts";

export const pullImage = jsonStream<PullImageRequestJson, ImageEventJson>("PullImage");
export const buildImage = jsonStream<BuildImageRequestJson, ImageEventJson>("BuildImage");
