/** Lines that a patch adds and removes, counted while it passes by. */
export class LineCount {
  added = 0;
  removed = 0;
  isBinary = false;
  private isInHunk = false;
  private unread = "";

  push(data: Buffer): void {
    const lines = (this.unread + data.toString("latin1")).split("\n");
    this.unread = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line.startsWith("diff --git ")) this.isInHunk = false;
    else if (line.startsWith("@@ ")) this.isInHunk = true;
    else if (!this.isInHunk) this.isBinary ||= /^(Binary files |GIT binary patch$)/.test(line);
    else if (line.startsWith("+")) this.added++;
    else if (line.startsWith("-")) this.removed++;
  }
}
