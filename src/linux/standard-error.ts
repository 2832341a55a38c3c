/** Standard error of a program that has nobody to tell when it can't write there. */
import { writeSync } from "node:fs";

const STANDARD_ERROR = 2;

/**
 * Writes `text` there, or nowhere: that the disk below it is full, or its reader gone, loses the text and nothing else. Node's
 * own stream would throw what nobody catches, which ends the program, and never write again once there is room.
 */
export function writeStandardError(text: string): void {
  try {
    writeSync(STANDARD_ERROR, text);
  } catch {
    // There is nobody to tell.
  }
}
