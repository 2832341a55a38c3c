/** The world's supervisors as processes, for tests that end them the hard way. */
import { readdirSync, readFileSync } from "node:fs";

/** Process ids of all supervisors, those in reserve included. They go by their process title. */
export function supervisors(): number[] {
  return readdirSync("/proc").filter(isSupervisor).map(Number);
}

function isSupervisor(pid: string): boolean {
  try {
    return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("openshell-supervisor");
  } catch {
    return false;
  }
}
