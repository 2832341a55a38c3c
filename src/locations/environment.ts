/**
 * The environment variables of a program, as `process.env` holds them. Passed in, so that a test can give its own. The
 * named ones are those that decide where files are.
 */
export interface Environment {
  readonly [name: string]: string | undefined;
  readonly HOME?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
  readonly XDG_STATE_HOME?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly OPENSHELL_SYSTEM_GATEWAY_DIR?: string | undefined;
}
