/** Deleting a sandbox that runs, until nothing of it is left. */
import type { SandboxJson } from "../src/gen/openshell/v1/sandbox_pb.ts";
import type { Row } from "./support/bench.ts";
import { runSilently } from "./support/command.ts";
import { interleave } from "./support/interleave.ts";

export const remove: Row = {
  name: "delete",
  title: "delete a running sandbox",
  target: "at most 100 ms",
  measure: ({ installation, docker, rounds }) => {
    const { api } = installation;
    let sandbox: SandboxJson = {};
    let container = "";
    const createReady = async () => {
      sandbox = await api.create();
      await api.whenReady(sandbox.metadata?.id ?? "");
    };
    return interleave(
      [
        {
          name: "openshell sandbox delete NAME",
          before: createReady,
          once: () => runSilently(installation.command("sandbox", "delete", sandbox.metadata?.name ?? "")),
        },
        { name: "by the API", before: createReady, once: () => api.remove(sandbox) },
        "missing" in docker
          ? docker
          : {
              name: "docker rm --force CONTAINER",
              before: async () => {
                container = await docker.start();
              },
              once: () => docker.remove(container),
            },
      ],
      { rounds },
    );
  },
};
