/**
 * A gateway for command tests: the real server library with the real schema, so that the CLI's own client is tested
 * against an implementation that is not ours.
 */

import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Inference } from "../../gen/openshell/inference/v1/inference_pb.ts";
import { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";

export interface FakeGateway extends AsyncDisposable {
  readonly endpoint: string;
}

/** @param methods what this gateway answers, and `inference` its other service; every other method is UNIMPLEMENTED. */
export async function fakeGateway(
  methods: Partial<ServiceImpl<typeof OpenShell>>,
  inference: Partial<ServiceImpl<typeof Inference>> = {},
): Promise<FakeGateway> {
  const routes = (router: ConnectRouter) => void router.service(OpenShell, methods).service(Inference, inference);
  const server = createServer(connectNodeAdapter({ routes }));
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
