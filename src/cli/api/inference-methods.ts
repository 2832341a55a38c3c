/**
 * The methods about routes to models.
 */
import type {
  DeleteInferenceRouteRequestJson,
  DeleteInferenceRouteResponseJson,
  GetInferenceRouteRequestJson,
  GetInferenceRouteResponseJson,
  GetInferenceUsageRequestJson,
  GetInferenceUsageResponseJson,
  ListInferenceRoutesRequestJson,
  ListInferenceRoutesResponseJson,
  SetInferenceRouteRequestJson,
  SetInferenceRouteResponseJson,
  TestInferenceRouteRequestJson,
  TestInferenceRouteResponseJson,
} from "../../gen/openshell/inference/v1/inference_pb.ts";
import { type UnaryMethod, unaryMethod } from "./method.ts";

function inferenceMethod<I, O>(name: string): UnaryMethod<I, O> {
  return unaryMethod(name, "openshell.inference.v1.Inference");
}

export const setInferenceRoute = inferenceMethod<SetInferenceRouteRequestJson, SetInferenceRouteResponseJson>(
  "SetInferenceRoute",
);
export const getInferenceRoute = inferenceMethod<GetInferenceRouteRequestJson, GetInferenceRouteResponseJson>(
  "GetInferenceRoute",
);
export const listInferenceRoutes = inferenceMethod<ListInferenceRoutesRequestJson, ListInferenceRoutesResponseJson>(
  "ListInferenceRoutes",
);
export const deleteInferenceRoute = inferenceMethod<DeleteInferenceRouteRequestJson, DeleteInferenceRouteResponseJson>(
  "DeleteInferenceRoute",
);
export const testInferenceRoute = inferenceMethod<TestInferenceRouteRequestJson, TestInferenceRouteResponseJson>(
  "TestInferenceRoute",
);
export const getInferenceUsage = inferenceMethod<GetInferenceUsageRequestJson, GetInferenceUsageResponseJson>(
  "GetInferenceUsage",
);
