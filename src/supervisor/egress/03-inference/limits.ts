/** The limits of calls to models, each with its reason. What happens at a limit is said beside it. */

/** Bytes of a call's body: a long conversation with pictures in it. Then inference.too_large. */
export const maxCallBytes = 16 * 1024 * 1024;

/** Bytes of all bodies of calls that are under way in a sandbox. Then inference.busy. */
export const maxHeldBytes = 96 * 1024 * 1024;

/** From a call's head to the last byte of its body. Then the connection is closed. */
export const callBodyTimeoutMs = 60_000;

/** Kept connections to one backend, and how long one may be idle: most servers close theirs after a minute or more. */
export const keptConnections = 64;
export const keptConnectionIdleMs = 50_000;

/** Backends whose TLS sessions are kept, to be resumed. A forgotten one costs a whole handshake. */
export const keptSessions = 64;

/** What a backend may ask us to wait before the next attempt; who asks for longer is not asked again. */
export const longestRetryAfterMs = 5_000;

/** Before the second attempt at a backend; doubled for each further one. */
export const firstRetryMs = 250;

/** Interim responses before the answer. More than a few are a backend's way to keep us busy. */
export const maxInterimAnswers = 32;

/** Bytes of an answer that must be known as a whole, to be translated or to be told as an error. */
export const maxWholeAnswerBytes = 16 * 1024 * 1024;
