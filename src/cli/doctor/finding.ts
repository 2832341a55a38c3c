/** What a look at the machine found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** `fail`: no sandbox can start; `warn`: it starts with less, or something is about to run out. */
  readonly level: "ok" | "warn" | "fail";
  readonly finding: string;
  /** What to do about it; empty when all is well. */
  readonly remedy: string;
}

export function ok(name: string, finding: string): Finding {
  return { name, level: "ok", finding, remedy: "" };
}

export function warn(name: string, finding: string, remedy: string): Finding {
  return { name, level: "warn", finding, remedy };
}

export function fail(name: string, finding: string, remedy: string): Finding {
  return { name, level: "fail", finding, remedy };
}

/** What the checks look at besides the kernel. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type Check = (machine: Machine) => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>;
