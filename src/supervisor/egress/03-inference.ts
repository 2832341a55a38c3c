/**
 * Step 3: requests for `inference.local` leave the path here, before policy.
 * Takes  Identified.
 * Gives  the same connection, if it goes anywhere else.
 * Refuses inference.no_route.
 * Assumes the host is canonical (01).
 */
import type { Identified, Refusal } from "./connection.ts";

/** The name under which a sandbox reaches its models. No resolver ever sees it. */
const inferenceHost = "inference.local";

/** Without a router every sandbox is one that has no route to a model. */
export function inference(connection: Identified): Identified | Refusal {
  if (connection.destination.host !== inferenceHost) return connection;
  return { refused: "inference.no_route", detail: "inference.local has no route to a model" };
}
