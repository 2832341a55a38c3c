/** The editors that work in a sandbox over SSH, by what their commands and their URLs are called. */
export const editors = {
  vscode: { command: "code", scheme: "vscode" },
  cursor: { command: "cursor", scheme: "cursor" },
} as const;

export type EditorName = keyof typeof editors;
export const editorNames = Object.keys(editors) as EditorName[];
