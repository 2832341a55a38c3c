/** The methods about proposed rules; docs/api.md tells what each does. */
import type {
  ApproveAllDraftChunksRequestJson,
  ApproveAllDraftChunksResponseJson,
  ApproveDraftChunkRequestJson,
  ApproveDraftChunkResponseJson,
  ClearDraftChunksRequestJson,
  ClearDraftChunksResponseJson,
  EditDraftChunkRequestJson,
  EditDraftChunkResponseJson,
  GetDraftHistoryRequestJson,
  GetDraftHistoryResponseJson,
  GetDraftPolicyRequestJson,
  GetDraftPolicyResponseJson,
  RejectDraftChunkRequestJson,
  RejectDraftChunkResponseJson,
  SubmitPolicyAnalysisRequestJson,
  SubmitPolicyAnalysisResponseJson,
  UndoDraftChunkRequestJson,
  UndoDraftChunkResponseJson,
} from "../../gen/openshell/v1/advisor_pb.ts";
import { unaryMethod } from "./method.ts";

export const submitPolicyAnalysis = unaryMethod<SubmitPolicyAnalysisRequestJson, SubmitPolicyAnalysisResponseJson>(
  "SubmitPolicyAnalysis",
);
export const getDraftPolicy = unaryMethod<GetDraftPolicyRequestJson, GetDraftPolicyResponseJson>("GetDraftPolicy");
export const approveDraftChunk = unaryMethod<ApproveDraftChunkRequestJson, ApproveDraftChunkResponseJson>(
  "ApproveDraftChunk",
);
export const approveAllDraftChunks = unaryMethod<ApproveAllDraftChunksRequestJson, ApproveAllDraftChunksResponseJson>(
  "ApproveAllDraftChunks",
);
export const rejectDraftChunk = unaryMethod<RejectDraftChunkRequestJson, RejectDraftChunkResponseJson>(
  "RejectDraftChunk",
);
export const editDraftChunk = unaryMethod<EditDraftChunkRequestJson, EditDraftChunkResponseJson>("EditDraftChunk");
export const undoDraftChunk = unaryMethod<UndoDraftChunkRequestJson, UndoDraftChunkResponseJson>("UndoDraftChunk");
export const clearDraftChunks = unaryMethod<ClearDraftChunksRequestJson, ClearDraftChunksResponseJson>(
  "ClearDraftChunks",
);
export const getDraftHistory = unaryMethod<GetDraftHistoryRequestJson, GetDraftHistoryResponseJson>("GetDraftHistory");
