/** Images that an engine gets or makes, and what it says of its progress, a line at a time. */
import { randomUUID } from "node:crypto";
import { type Engine, EngineRefusal, ifThere, type Progress } from "../../../engine/engine.ts";
import { failedPrecondition } from "../../refuse.ts";
import type { BuildPlan } from "../driver.ts";
import { requireImageName } from "./image-facts.ts";

/** With a registry's name in front that is nobody's: nothing is looked for elsewhere under it. */
const REPOSITORY = "localhost/openshell-built";
/** By which they are found, to be removed: the engine keeps them for the next build. */
const BUILT_LABEL = "ai.openshell.built";
const DIGITS = 16;

/** Pulls the image where the engine does not have it. Throws FAILED_PRECONDITION where there is none. */
export async function* pullImage(engine: Engine, image: string, signal?: AbortSignal): AsyncGenerator<string, string> {
  requireImageName(image);
  if ((await ifThere(engine.image(image))) !== undefined) return image;
  yield `${engine.name} has no image ${image}: pulling it`;
  const fromImage = /[:@][^/]+$/.test(image) ? image : `${image}:latest`;
  try {
    yield* linesOf(engine.progress("/images/create", { query: { fromImage }, signal }));
    return image;
  } catch (error) {
    throw refusal(error, `${engine.name} has no image ${image}, and could not pull it`);
  }
}

/** Throws FAILED_PRECONDITION with what the engine says went wrong. */
export async function* buildImage(
  engine: Engine,
  { folder, dockerfile }: BuildPlan,
  signal: AbortSignal,
): AsyncGenerator<string, string> {
  // Named while it is made, as not every engine tells the number of what it has made.
  const pending = `${REPOSITORY}:pending-${randomUUID()}`;
  const query = { t: pending, dockerfile, rm: "1", forcerm: "1", labels: JSON.stringify({ [BUILT_LABEL]: "1" }) };
  try {
    const lines = linesOf(engine.progress("/build", { query, body: folder, signal }));
    for await (const line of lines) if (!line.includes(pending)) yield line;
    const { Id: id } = await engine.image<{ Id: string }>(pending);
    // The same image has the same name, and another never gets it: a sandbox is started again from what it was made of.
    const tag = id.replace("sha256:", "").slice(0, DIGITS);
    await engine.post(`/images/${pending}/tag`, { query: { repo: REPOSITORY, tag } });
    return `${REPOSITORY}:${tag}`;
  } catch (error) {
    throw refusal(error, "the build failed");
  } finally {
    await ifThere(engine.delete(`/images/${pending}`, { noprune: "1" })).catch(() => undefined);
  }
}

function refusal(error: unknown, what: string): unknown {
  return error instanceof EngineRefusal ? failedPrecondition(`${what}: ${error.message.trim()}`) : error;
}

/** Whole lines of what is printed, and each state of a layer once, without how far it is. */
async function* linesOf(progress: AsyncGenerator<Progress>): AsyncGenerator<string> {
  let unfinished = "";
  const states = new Map<string, string>();
  for await (const { stream = "", status, id } of progress) {
    const lines = (unfinished + stream).split("\n");
    unfinished = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield line;
    if (status === undefined || states.get(id ?? "") === status) continue;
    states.set(id ?? "", status);
    yield id === undefined ? status : `${id}: ${status}`;
  }
  if (unfinished.trim() !== "") yield unfinished;
}
