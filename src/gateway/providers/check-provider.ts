/** Whether what a client calls a provider can be one. Each throws INVALID_ARGUMENT, and never repeats a value. */
import { invalid } from "../refuse.ts";

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** A service account's key file is some 2.5 KB. */
const MAX_SECRET_BYTES = 64 * 1024;
const MAX_ENTRIES = 64;
const MAX_CONFIG_BYTES = 4 * 1024;

export function isVariableName(text: string): boolean {
  return VARIABLE.test(text);
}

/** The name ends up in a rule's name and in commands that are shown. */
export function requireProviderName(name: string): void {
  if (NAME.test(name)) return;
  throw invalid(`"${name}" cannot be a provider's name: letters, digits, and inner dots, dashes and underscores`);
}

export function requireCredentials(credentials: Readonly<Record<string, string>>): void {
  const entries = Object.entries(credentials);
  if (entries.length > MAX_ENTRIES) throw invalid(`more than ${MAX_ENTRIES} credentials`);
  for (const [key, value] of entries) {
    if (!isVariableName(key)) throw invalid(`"${key}" is not a variable's name`);
    if (Buffer.byteLength(value) > MAX_SECRET_BYTES) throw invalid(`the value of ${key} is too long`);
    if (value.includes("\0")) throw invalid(`the value of ${key} contains a NUL byte`);
  }
}

export function requireConfig(config: Readonly<Record<string, string>>): void {
  const entries = Object.entries(config);
  if (entries.length > MAX_ENTRIES) throw invalid(`more than ${MAX_ENTRIES} settings`);
  for (const [key, value] of entries) {
    if (!isVariableName(key)) throw invalid(`"${key}" is not a setting's name`);
    if (value.length > MAX_CONFIG_BYTES || /[\0\r\n]/.test(value)) {
      throw invalid(`config ${key}: must be one line of at most ${MAX_CONFIG_BYTES} characters`);
    }
  }
}
