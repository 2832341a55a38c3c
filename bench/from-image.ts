/** A sandbox from an image, beside a container of the same engine from the same image. */
import type { Row } from "./support/bench.ts";
import { runSilently } from "./support/command.ts";
import { interleave } from "./support/interleave.ts";

export const createFromImage: Row = {
  name: "create-from-image",
  title: "create from an image → end of `true` → deleted",
  measure: ({ installation, docker, rounds }) => {
    if ("missing" in docker) return Promise.resolve([docker]);
    const words = ["sandbox", "create", "--no-keep", "--from", docker.image, "--", "true"];
    const whole = installation.command(...words);
    const name = `openshell sandbox create --no-keep --from IMAGE -- true (${docker.program})`;
    return interleave([{ name, once: () => runSilently(whole) }, docker.run("true")], { rounds });
  },
};

export const execFromImage: Row = {
  name: "exec-from-image",
  title: "`true` in a running sandbox from an image",
  measure: async ({ installation, docker, rounds }) => {
    if ("missing" in docker) return [docker];
    const name = "from-image";
    await installation.run("sandbox", "create", "--name", name, "--from", docker.image);
    const command = installation.command("sandbox", "exec", "-n", name, "--", "true");
    const container = await docker.start();
    const lines = await interleave(
      [
        { name: `openshell sandbox exec -n NAME -- true (${docker.program})`, once: () => runSilently(command) },
        { name: `${docker.program} exec CONTAINER true`, once: () => docker.exec(container, "true") },
      ],
      { rounds },
    );
    await docker.remove(container);
    await installation.run("sandbox", "delete", name);
    return lines;
  },
};
