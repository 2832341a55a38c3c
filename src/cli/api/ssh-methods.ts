/** The methods of SSH sessions. */
import type {
  CreateSshSessionRequestJson,
  CreateSshSessionResponseJson,
  ListSshSessionsRequestJson,
  ListSshSessionsResponseJson,
  RevokeSshSessionRequestJson,
  RevokeSshSessionResponseJson,
} from "../../gen/openshell/v1/access_pb.ts";
import { unaryMethod } from "./method.ts";

export const createSshSession = unaryMethod<CreateSshSessionRequestJson, CreateSshSessionResponseJson>(
  "CreateSshSession",
);
export const listSshSessions = unaryMethod<ListSshSessionsRequestJson, ListSshSessionsResponseJson>("ListSshSessions");
export const revokeSshSession = unaryMethod<RevokeSshSessionRequestJson, RevokeSshSessionResponseJson>(
  "RevokeSshSession",
);
