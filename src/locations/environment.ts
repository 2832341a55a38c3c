/** The environment variables of a program, as `process.env` holds them. Passed in, so that a test can give its own. */
export type Environment = Readonly<Record<string, string | undefined>>;
