import { Readable } from "node:stream";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BuildImageRequest, ImageEventSchema } from "../../../gen/openshell/v1/image_pb.ts";
import type { GatewayContext } from "../../context.ts";
import type { ImageSource } from "../../drivers/driver.ts";
import { invalid, notAvailable } from "../../refuse.ts";
import type { Methods } from "./methods.ts";

type Event = MessageInitShape<typeof ImageEventSchema>;

/** Images for sandboxes, gotten or made for whoever is about to ask for one. */
export function imageMethods({ driver, log }: GatewayContext): Methods {
  return {
    async *pullImage({ image }, { signal }) {
      yield* eventsOf(sourceOf(driver.images).pull(image, signal));
    },
    async *buildImage(requests, { signal }) {
      const pieces = requests[Symbol.asyncIterator]();
      const { value: first } = (await pieces.next()) as IteratorResult<BuildImageRequest, undefined>;
      if (first?.payload.case !== "start") throw invalid("the first message must say what to build");
      const { dockerfile } = first.payload.value;
      const folder = Readable.from(archiveIn({ [Symbol.asyncIterator]: () => pieces }), { objectMode: false });
      log.info(`an image is built from a ${dockerfile}`);
      yield* eventsOf(sourceOf(driver.images).build({ folder, dockerfile }, signal));
    },
  };
}

function sourceOf(images: ImageSource | undefined): ImageSource {
  if (images === undefined) throw notAvailable("this gateway's platform gets its images by itself, and builds none");
  return images;
}

async function* eventsOf(work: AsyncGenerator<string, string>): AsyncGenerator<Event> {
  try {
    for (;;) {
      const { done, value } = await work.next();
      yield { payload: { case: done ? "image" : "line", value } };
      if (done) return;
    }
  } finally {
    await work.return("");
  }
}

async function* archiveIn(requests: AsyncIterable<BuildImageRequest>): AsyncGenerator<Uint8Array> {
  for await (const { payload } of requests) {
    if (payload.case !== "context") throw invalid("after the first message come pieces of the archive");
    yield payload.value;
  }
}
