/** What a relay may cost, and how long each end believes in the other. Both ends go by the same numbers. */

/** Bytes that are kept until they are acknowledged, each way; who has as many waits. */
export const RELAY_WINDOW_BYTES = 1024 * 1024;

/** How long an end waits for the other after a break. */
export const RELAY_GIVE_UP_MS = 10 * 60_000;

/** A client that has ended is not waited for; but one that was only cut off by its gateway is back by then. */
export const RELAY_GONE_MS = 2_000;

/** On an idle path something is said as often, so that each end knows of the other. */
export const RELAY_HEARTBEAT_MS = 10_000;

/** A path on which nothing comes for so long leads nowhere: a machine that slept, a network that changed. */
export const RELAY_SILENCE_MS = 30_000;
