/** A database that is not touched, because it could only be made worse; the message says what helps. */
export class DatabaseRefused extends Error {}

/** A newer program has changed the schema: an older one must not write into it. */
export class DatabaseTooNew extends Error {
  constructor(found: number, known: number) {
    super(
      `the database has schema ${found}, this version knows ${known}: use a newer openshell, ` +
        "or put a backup of before in its place with `openshell gateway restore FILE --force`",
    );
  }
}
