/**
 * How many connections each process may hold, so that all processes of all machines fit into what
 * the server allows.
 * @module
 */

/**
 * Connections left free for commands and people: two for a process that starts or a command that
 * runs, as many for a second one, and one for psql.
 */
export const spareConnections = 5;

/** What one machine asks for. */
export interface ConnectionDemand {
  /** Machines that share the server; each gets the same part. */
  readonly machines: number;
  /** Processes that serve on this machine. */
  readonly workers: number;
  /** Connections that stay open, for the whole machine. */
  readonly poolSize: number;
  /** Further connections under load, for the whole machine. */
  readonly overflow: number;
}

/** What each process of the machine gets. */
export interface ConnectionBudget {
  readonly size: number;
  readonly overflow: number;
  /** Whether fewer connections stay open than the machine asks for. */
  readonly isCut: boolean;
  /** The least that the server must allow for the whole demand. */
  readonly needed: number;
  /** The calculation, for people. */
  readonly arithmetic: string;
}

/**
 * Divides what the server allows. The overflow is reduced first, then the pool. Each process needs
 * one connection for requests, and one more to read the journal.
 * @param allowed connections that the server, the database and the role allow
 */
export const connectionBudget = (
  { machines, workers, poolSize, overflow }: ConnectionDemand,
  allowed: number,
): ConnectionBudget => {
  const ofMachine = Math.floor((allowed - spareConnections) / machines);
  const pooled = Math.max(1, Math.floor(ofMachine / workers) - 1);
  const wanted = Math.max(1, Math.floor(poolSize / workers));
  const size = Math.min(wanted, pooled);
  const added = Math.max(0, Math.min(Math.floor(overflow / workers), pooled - size));
  const used = workers * (size + added + 1);
  return {
    size,
    overflow: added,
    isCut: size < wanted || used > ofMachine,
    needed: machines * workers * (wanted + 1) + spareConnections,
    arithmetic: `PostgreSQL allows ${allowed} connections: ${spareConnections} stay free for commands, each of ${machines} machines may use ${Math.max(0, ofMachine)}; here ${workers} × (${size} kept + ${added} under load + 1 for the journal) = ${used}`,
  };
};

/**
 * What an operator changes when the connections are too few.
 * @param connections the least that the server must have, those for other roles included
 */
export const connectionRemedy = (connections: number): string =>
  `run "ALTER SYSTEM SET max_connections = ${connections}" and restart it, or lower DATABASE_POOL_SIZE, WORKERS or DATABASE_MACHINES`;
