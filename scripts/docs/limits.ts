/**
 * docs/limits.md: every limit in the code with its reason, which is the comment in front of the constant.
 */
import { globSync, readFileSync } from "node:fs";

interface Limit {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
  readonly path: string;
}

const parts: Readonly<Record<string, string>> = {
  supervisor: "Supervisor, and with it every connection of a sandbox",
  init: "Init",
  gateway: "Gateway",
  cli: "Command line",
  policy: "Policies",
  inference: "Routes to models",
  net: "What is read from the network",
  relay: "Relays",
  ocsf: "Audit events",
  secrets: "Secrets",
  transfer: "Copies of files",
  workspace: "Reviews of workspaces",
  sftp: "Files over SSH",
};

/** Words by which a constant's name says that it bounds something; other constants are numbers of protocols. */
const bounding =
  /(^|_)(max|limit|longest|largest|most|deepest|shown|kept|remembered|logged|timeout|grace)(_|$)|_(ms|milliseconds|seconds|days|bytes|characters|lines)$/;

/** @returns the whole page. */
export function limitsPage(): string {
  const sections = Object.entries(parts).map(([folder, title]) => {
    const paths = globSync(`src/${folder}/**/*.ts`).filter((path) => !/\.(test|fixture)\.ts$|test-support/.test(path));
    return `## ${title}\n\n${limitsTable(paths.sort().flatMap(limitsOf))}`;
  });
  return `# Limits

<!-- Made by scripts/generate-docs.ts from the constants in src. Do not edit. -->

What every part of OpenShell does at most, and why. Each limit is a constant with this name in the linked file.

${sections.join("\n")}`;
}

function limitsTable(limits: readonly Limit[]): string {
  const rows = limits.map(({ name, value, reason, path }) => {
    const file = path.replace(/^src\/[^/]+\//, "");
    return `| \`${name}\` | ${value} | ${reason.replaceAll("|", "\\|")} | [${file}](../${path}) |\n`;
  });
  return `| limit | value | why | where |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

/** The limits of one file that have a comment in front of them; two that follow one comment share it. */
function limitsOf(path: string): Limit[] {
  const found: Limit[] = [];
  const text = readFileSync(path, "utf8");
  for (const [, comment = "", constants = ""] of text.matchAll(
    /^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n((?:(?:export )?const \w+(?:: number)? = [^;{}[\]"`]+;\n)+)/gm,
  )) {
    const reason = comment
      .replace(/^ ?\* ?/gm, "")
      .replace(/\s+/g, " ")
      .trim();
    for (const [, name = "", expression = ""] of constants.matchAll(/const (\w+)(?:: number)? = ([^;]+);/g)) {
      const number = numberOf(expression);
      const words = name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
      if (number !== undefined && bounding.test(words))
        found.push({ name, value: withUnit(number, words), reason, path });
    }
  }
  return found;
}

/** The value of sums, products and powers of literals; undefined for anything else. */
function numberOf(expression: string): number | undefined {
  const plain = expression.replaceAll("_", "").replaceAll("**", "^");
  if (!/^[\d.\s*^+]+$/.test(plain)) return undefined;
  const power = (text: string) => fold(text.split("^").map(Number), (base, exponent) => base ** exponent);
  const product = (text: string) => fold(text.split("*").map(power), (one, other) => one * other);
  return fold(plain.split("+").map(product), (one, other) => one + other);
}

function fold(numbers: readonly number[], join: (one: number, other: number) => number): number {
  return numbers.reduce(join);
}

const units: readonly (readonly [suffix: RegExp, steps: readonly (readonly [size: number, unit: string])[]])[] = [
  [
    /(^|_)(ms|milliseconds)$/,
    [
      [86_400_000, "d"],
      [3_600_000, "h"],
      [60_000, "min"],
      [1000, "s"],
      [1, "ms"],
    ],
  ],
  [
    /(^|_)seconds$/,
    [
      [3600, "h"],
      [60, "min"],
      [1, "s"],
    ],
  ],
  [/(^|_)days$/, [[1, "d"]]],
  [
    /(^|_)bytes$/,
    [
      [1024 ** 3, "GiB"],
      [1024 ** 2, "MiB"],
      [1024, "KiB"],
      [1, "bytes"],
    ],
  ],
];

/** In the largest unit that gives a whole number; the unit is what the name ends with. */
function withUnit(number: number, words: string): string {
  const steps = units.find(([suffix]) => suffix.test(words))?.[1] ?? [];
  const step = steps.find(([size]) => number >= size && number % size === 0);
  return step === undefined ? number.toLocaleString("en") : `${(number / step[0]).toLocaleString("en")} ${step[1]}`;
}
