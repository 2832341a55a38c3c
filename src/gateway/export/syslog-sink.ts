/**
 * Events as syslog messages (RFC 5424), one a datagram (RFC 5426) or counted on a connection (RFC 6587, section 3.4.1; over
 * TLS, RFC 5425).
 * Syslog acknowledges nothing: over TCP what the kernel had taken when the connection broke may be lost, over UDP anything.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { hostname } from "node:os";
import { connect as connectTls } from "node:tls";
import type { OcsfEvent } from "../../ocsf/ocsf-event.ts";
import type { OutgoingEvent } from "../store/outbox.ts";
import type { ExportTarget } from "./exports-file.ts";
import type { Sink } from "./sink.ts";

type SyslogTarget = Extract<ExportTarget, { kind: "syslog" }>;

const CONNECT_TIMEOUT_MS = 10_000;
/** "log audit" (RFC 5424, table 1). */
const FACILITY = 13;
/** By OCSF's severity_id: informational to alert (RFC 5424, table 2). */
const severities: Readonly<Record<number, number>> = { 1: 6, 2: 5, 3: 4, 4: 3, 5: 2, 6: 1 };
/** Longer ones do not fit into a UDP datagram over IPv4. */
const MAX_DATAGRAM_BYTES = 65_507;

export function syslogSink(target: SyslogTarget): Sink {
  return target.transport === "udp" ? udpSink(target) : tcpSink(target);
}

function udpSink({ host, port }: SyslogTarget): Sink {
  return {
    async send(events) {
      const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4" });
      try {
        for (const event of events) {
          const message = syslogMessage(event).subarray(0, MAX_DATAGRAM_BYTES);
          await new Promise<void>((resolve, reject) =>
            socket.send(message, port, host, (error) => (error ? reject(error) : resolve())),
          );
        }
      } finally {
        socket.close();
      }
    },
    close: async () => {},
  };
}

/** A connection, and the event that tells that it can be used: over TLS the receiver has proved who it is by then. */
function dial({ transport, host, port, authorities }: SyslogTarget): readonly [Socket, "connect" | "secureConnect"] {
  if (transport !== "tls") return [connect({ host, port, noDelay: true, keepAlive: true }), "connect"];
  const ca = authorities === undefined ? {} : { ca: authorities };
  // A name is also told to the receiver; an address must not be (RFC 6066, section 3).
  const name = isIP(host) ? {} : { servername: host };
  return [connectTls({ host, port, minVersion: "TLSv1.2", ...name, ...ca }), "secureConnect"];
}

function tcpSink(target: SyslogTarget): Sink {
  let socket: Socket | undefined;
  async function connected(signal: AbortSignal): Promise<Socket> {
    if (socket?.writable) return socket;
    const [fresh, ready] = dial(target);
    await once(fresh, ready, { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]) }).catch(
      (error: unknown) => {
        fresh.destroy();
        throw error;
      },
    );
    // A collector that goes away is noticed by the next write.
    fresh.on("error", () => {});
    fresh.resume();
    socket = fresh;
    return fresh;
  }
  return {
    async send(events, signal) {
      const open = await connected(signal);
      const messages = events.flatMap((event) => {
        const message = syslogMessage(event);
        return [Buffer.from(`${message.length} `), message];
      });
      await new Promise<void>((resolve, reject) =>
        open.write(Buffer.concat(messages), (error) => (error ? reject(error) : resolve())),
      );
    },
    async close() {
      socket?.end();
    },
  };
}

/** `<PRI>1 TIME HOST APP PROCID MSGID STRUCTURED-DATA MSG` (RFC 5424, section 6). */
export function syslogMessage({ json, sandboxName }: OutgoingEvent): Buffer {
  const event = JSON.parse(json) as OcsfEvent;
  const priority = FACILITY * 8 + (severities[event.severity_id] ?? 5);
  const time = new Date(event.time).toISOString();
  const head = [`<${priority}>1`, time, hostname(), "openshell", sandboxName || "-", `${event.class_uid}`, "-"];
  return Buffer.from(`${head.join(" ")} ${json}`);
}
