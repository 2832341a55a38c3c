import { fileURLToPath } from "node:url";

/** For BROWSER: logs in as LOGIN_AS, without a window. */
export const browser = fileURLToPath(new URL("browser.mjs", import.meta.url));
