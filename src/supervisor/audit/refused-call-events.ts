/** Findings about system calls that were refused: one when a program first makes a call, updates as it goes on. */
import { type DetectionFinding, detectionFinding } from "../../ocsf/classes/detection-finding.ts";
import type { RefusedKernelCalls } from "./audited.ts";
import { holderProcess } from "./connection-facts.ts";
import { type Moment, occasion } from "./moment.ts";

export function refusedCallsEvent(moment: Moment, calls: RefusedKernelCalls): DetectionFinding {
  const { uid, call, errno, program, since, count } = calls;
  const message = count === 1 ? call : `${call} and ${count - 1} more`;
  return detectionFinding(occasion(moment, { message, severity: "high" }), {
    uid,
    kind: "kernel_call_refused",
    title: "A program asked the kernel for a way out",
    remedy: "If it is not meant to, look at what started it; what it asked for is refused in every sandbox.",
    attempt: {
      operation: call,
      error: errno,
      count,
      since,
      ...(program && { process: holderProcess(program) }),
    },
  });
}
