import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applicationLifecycle } from "../ocsf/classes/application-lifecycle.ts";
import { type Severity, severities } from "../ocsf/enums/severity.ts";
import type { OcsfEvent } from "../ocsf/ocsf-event.ts";
import { writeEvent, writeJsonl } from "../ocsf/write-jsonl.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import { logSource } from "./log-source.ts";

const device = { type_id: 6, hostname: "box" } as unknown as OcsfEvent["device"];

function event(severity: Severity): OcsfEvent {
  const reporter = { productVersion: "0.0.0", device };
  return applicationLifecycle({ reporter, time: 1_700_000_000_000, severity, message: "sandbox box" }, "start");
}

describe("the audit log as log lines", () => {
  it("gives each line the level that `logs --level` asks for, and the event itself", async () => {
    const events = (Object.keys(severities) as Severity[]).map(event);
    const records = events.map((each, index) => {
      const written = writeEvent(each);
      return {
        ...written,
        sequence: index + 1,
        line: writeJsonl(written, { sequence: index + 1, uid: "id", previousHash: undefined }),
      };
    });
    const log = { readAfter: async () => records } as unknown as AuditLog;
    const lines = await logSource(log, "id").readAfter(0, 10);
    assert.deepEqual(
      lines.map(({ level }) => level),
      ["INFO", "LOW", "MED", "HIGH", "CRIT", "FATAL"],
    );
    assert.deepEqual([lines[0]?.sandboxId, lines[0]?.sequence, lines[0]?.source], ["id", "1", "sandbox"]);
    const [first] = events;
    assert.deepEqual(JSON.parse(lines[0]?.fields?.["ocsf"] ?? ""), {
      ...first,
      metadata: { ...first?.metadata, sequence: 1, uid: "id" },
    });
  });
});
