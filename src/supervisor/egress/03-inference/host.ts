/** The name under which a sandbox reaches its models. No resolver ever sees it. */
export const inferenceHost = "inference.local";
