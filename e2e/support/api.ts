/** A gateway's API without a command around each call, for tests that make more calls than commands could be started. */
import { Channel } from "../../src/cli/api/channel.ts";
import { Http2Carriage } from "../../src/cli/api/http2-carriage.ts";
import { configDirectory } from "../../src/locations/config-directory.ts";
import { readMtlsBundle } from "../../src/locations/gateway-entry.ts";
import { LOCAL_GATEWAY_NAME } from "../../src/locations/local-gateway.ts";
import { readRunningGateway } from "../../src/locations/running-gateway.ts";
import type { Installation } from "./installation.ts";

/** Connects to the gateway that runs now, by its port: its socket is for its own user alone. Rejects if there is none. */
export async function openApi({ home, stateDirectory }: Installation): Promise<Channel> {
  const running = readRunningGateway(stateDirectory);
  const bundle = readMtlsBundle(configDirectory({ XDG_CONFIG_HOME: `${home}/.config` }), LOCAL_GATEWAY_NAME);
  if (!running || !bundle) throw new Error("no gateway runs");
  const tls = { ca: bundle.ca, cert: bundle.certificate, key: bundle.key };
  return new Channel(await Http2Carriage.open({ endpoint: running.endpoint, tls }));
}
