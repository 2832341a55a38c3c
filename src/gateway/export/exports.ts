/** All exports of a gateway: those of its `exports.yaml`, and the file that the setting `ocsf_json_enabled` fills. */
import { join } from "node:path";
import type { GatewayLog } from "../gateway-log.ts";
import type { Settings } from "../settings/settings.ts";
import type { Outbox } from "../store/outbox.ts";
import type { Outgoing } from "../store/store.ts";
import { type Exporter, startExporter } from "./exporter.ts";
import { DEFAULT_KEPT_FILES, type ExportSettings, type ExportTarget } from "./exports-file.ts";
import { fileSink } from "./file-sink.ts";
import { otlpSink, webhookSink } from "./http-sinks.ts";
import type { Sink } from "./sink.ts";
import { syslogSink } from "./syslog-sink.ts";

/** No name that `exports.yaml` may give. */
const OWN_FILE = "(ocsf_json_enabled)";

export interface ExportsOptions {
  readonly exports: readonly ExportSettings[];
  readonly stateDirectory: string;
  readonly outbox: Outbox;
  readonly settings: Settings;
  readonly log: GatewayLog;
  readonly now: () => number;
}

export class Exports {
  readonly #options: ExportsOptions;
  readonly #stopping = new AbortController();
  #exporters: readonly Exporter[] = [];

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  /** Begins, where the exports of the gateway before this one have left off. */
  async start(): Promise<void> {
    const { exports, stateDirectory, outbox, log, now } = this.#options;
    await outbox.register([OWN_FILE, ...exports.map(({ name }) => name)]);
    const common = { outbox, log, signal: this.#stopping.signal };
    const ownPath = join(stateDirectory, "exports", "openshell-ocsf.jsonl");
    this.#exporters = [
      startExporter({
        ...common,
        name: OWN_FILE,
        sink: fileSink({ path: ownPath, keptFiles: DEFAULT_KEPT_FILES, now }),
        wants: ({ isForOwnFile }) => isForOwnFile,
      }),
      ...exports.map(({ name, target }) =>
        startExporter({ ...common, name, sink: sinkOf(target, now), wants: () => true }),
      ),
    ];
  }

  /**
   * What makes events of a sandbox's lines, or of the gateway's (id and name are empty), to be stored together with them;
   * undefined where nobody wants any.
   */
  async outgoing({ id, name }: { readonly id: string; readonly name: string }): Promise<Outgoing | undefined> {
    const isForOwnFile = await this.#options.settings.effective(id, "ocsf_json_enabled");
    if (!isForOwnFile && this.#options.exports.length === 0) return undefined;
    return ({ fields }) => {
      const json = fields["ocsf"];
      return json === undefined ? undefined : { sandboxName: name, json, isForOwnFile };
    };
  }

  /** There are new events. */
  wake(): void {
    for (const exporter of this.#exporters) exporter.wake();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#exporters.map(({ ended }) => ended));
  }
}

function sinkOf(target: ExportTarget, now: () => number): Sink {
  switch (target.kind) {
    case "file":
      return fileSink({ ...target, now });
    case "syslog":
      return syslogSink(target);
    case "webhook":
      return webhookSink(target);
    case "otlp":
      return otlpSink(target);
    default:
      return target satisfies never;
  }
}
