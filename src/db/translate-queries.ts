import { translated } from "./database-errors.ts";
import type { Queryable } from "./queryable.ts";

interface Prepared {
  execute(...values: unknown[]): Promise<unknown>;
}
interface Session {
  prepareQuery(...args: unknown[]): Prepared;
}

/** Makes statements outside transactions fail with our errors too: every one of them passes through the session's `prepareQuery`. */
export function translateQueries(database: object): Queryable {
  const { session } = database as { session: Session };
  const prepareQuery = session.prepareQuery.bind(session);
  session.prepareQuery = (...args) => {
    const prepared = prepareQuery(...args);
    const execute = prepared.execute.bind(prepared);
    prepared.execute = (...values) => translated(execute(...values));
    return prepared;
  };
  return database as Queryable;
}
