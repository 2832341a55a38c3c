import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Inference } from "../../gen/openshell/inference/v1/inference_pb.ts";
import { OpenShell } from "../../gen/openshell/v1/openshell_pb.ts";
import { readMtlsBundle } from "../../locations/gateway-entry.ts";
import type { KubernetesSettings } from "../drivers/kubernetes/kubernetes-file.ts";
import { type Gateway, startGateway } from "../gateway.ts";
import { createGatewayLog } from "../gateway-log.ts";
import type { ObservationOptions } from "../health/observation.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/store.ts";

/** A real gateway on loopback with directories of its own and fake supervisors. */
export interface TestGateway extends AsyncDisposable {
  readonly directory: string;
  readonly endpoint: string;
  readonly client: Client<typeof OpenShell>;
  readonly inference: Client<typeof Inference>;
  /** What it has logged so far. */
  readonly log: readonly string[];
  /** A client without credentials. */
  anonymous(): Transport;
  /** Stops the gateway and starts another one on the same state; `meanwhile` is done while there is none. */
  restart(meanwhile?: () => void): Promise<void>;
}

export interface TestGatewayOptions {
  readonly observation?: ObservationOptions;
  /** Where its state is; its own directory otherwise. */
  readonly openStore?: () => Promise<Store>;
  /** The cluster that sandboxes run in; this machine otherwise. */
  readonly kubernetes?: KubernetesSettings;
  /** The machine's clock; the real one otherwise. */
  readonly now?: () => number;
}

export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const directory = await mkdtemp(join(tmpdir(), "openshell-gateway-"));
  await mkdir(join(directory, "state"));
  const log: string[] = [];
  let gateway = await start(directory, log, options);
  let client = clientOf(gateway, directory);
  return {
    directory,
    log,
    get endpoint() {
      return gateway.endpoint;
    },
    get client() {
      return client;
    },
    get inference() {
      return createClient(Inference, transport(gateway, directory, true));
    },
    anonymous: () => transport(gateway, directory, false),
    async restart(meanwhile = () => {}) {
      await gateway.stop();
      meanwhile();
      gateway = await start(directory, log, options);
      client = clientOf(gateway, directory);
    },
    async [Symbol.asyncDispose]() {
      const { sandboxes } = await client.listSandboxes({ allWorkspaces: true });
      for (const { metadata } of sandboxes) {
        await client.deleteSandbox({ name: metadata?.name ?? "", workspace: metadata?.workspace ?? "" });
      }
      await gateway.stop();
      await rm(directory, { recursive: true });
    },
  };
}

function start(
  directory: string,
  log: string[],
  {
    observation = {},
    now = Date.now,
    openStore = async () => openSqliteStore(join(directory, "state")),
    kubernetes,
  }: TestGatewayOptions,
): Promise<Gateway> {
  return startGateway({
    observation,
    kubernetes,
    exports: [],
    oidc: undefined,
    server: { names: [] },
    version: "test",
    name: "test",
    port: 0,
    configDirectory: join(directory, "config"),
    stateDirectory: join(directory, "state"),
    runtimeDirectory: join(directory, "run"),
    openStore,
    supervisorEntry: fileURLToPath(new URL("../../supervisor/test-support/fake-supervisor.ts", import.meta.url)),
    supervisorEnvironment: { PATH: process.env["PATH"] ?? "" },
    upstream: {
      settings: { proxies: {}, noProxy: [], resolve: "local", clientCertificates: [] },
      extraCertificates: "",
    },
    useHostUids: false,
    log: createGatewayLog((line) => void log.push(line), Date.now),
    now,
  });
}

function clientOf(gateway: Gateway, directory: string): Client<typeof OpenShell> {
  return createClient(OpenShell, transport(gateway, directory, true));
}

function transport({ endpoint }: Gateway, directory: string, withCertificate: boolean): Transport {
  const bundle = readMtlsBundle(join(directory, "config"), "test");
  if (bundle === undefined) throw new Error("the gateway wrote no client certificate");
  const { ca, certificate: cert, key } = bundle;
  return createGrpcTransport({ baseUrl: endpoint, nodeOptions: withCertificate ? { ca, cert, key } : { ca } });
}
