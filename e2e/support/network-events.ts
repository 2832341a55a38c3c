/** What is on record of connections, read step by step as a test goes on. */
import type { NetworkActivity } from "../../src/ocsf/classes/network-activity.ts";
import type { Installation } from "./installation.ts";

/** Gives a function that tells the connections (class 4001) which came on record since its last call. */
export function freshConnections(installation: () => Installation): () => NetworkActivity[] {
  let known = 0;
  return () => {
    const all = installation()
      .events()
      .filter((event) => event.class_uid === 4001);
    const fresh = all.slice(known);
    known = all.length;
    return fresh;
  };
}
