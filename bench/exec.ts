/** A command in a sandbox that runs. */
import type { Row } from "./support/bench.ts";
import { runSilently } from "./support/command.ts";
import { type Contender, interleave } from "./support/interleave.ts";

const bare: Contender = { name: "true", once: () => runSilently({ file: "true", args: [] }) };
/** What any command line program written for Node costs before its first statement. */
const bareNode: Contender = {
  name: "node -e 0",
  once: () => runSilently({ file: process.execPath, args: ["-e", "0"] }),
};

export const exec: Row = {
  name: "exec",
  title: "`true` in a running sandbox",
  target: "at most 15 ms over the bare command",
  measure: async ({ installation, docker, rounds }) => {
    const { api } = installation;
    const sandbox = await api.create();
    const { id = "", name = "" } = sandbox.metadata ?? {};
    await api.whenReady(id);
    const command = installation.command("sandbox", "exec", "-n", name, "--", "true");
    const container = "missing" in docker ? undefined : await docker.start();
    const lines = await interleave(
      [
        { name: "openshell sandbox exec -n NAME -- true", once: () => runSilently(command) },
        { name: "by the API", once: () => api.exec(id, ["true"]) },
        bare,
        bareNode,
        "missing" in docker
          ? docker
          : { name: `${docker.program} exec CONTAINER true`, once: () => docker.exec(container ?? "", "true") },
      ],
      { rounds },
    );
    if (!("missing" in docker)) await docker.remove(container ?? "");
    await api.remove(sandbox);
    return lines;
  },
};
