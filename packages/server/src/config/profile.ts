/**
 * What follows from the engine of the database: one table. The reader of the configuration computes
 * a profile once, and everything else asks for the flag that names its reason instead of asking
 * which engine it is.
 * @module
 */

/** What a deployment can do and must look after, by its engine. */
export interface Profile {
  /** Names the engine where it is opened; nothing else is decided by it. */
  readonly engine: 'sqlite' | 'postgres';
  /**
   * Several processes may serve, on one machine or many: then a supervisor runs them, a bus between
   * machines has listeners, and the number of cores is a sensible number of workers. SQLite tells
   * no process what another one has committed, so exactly one serves.
   */
  readonly servesManyProcesses: boolean;
  /**
   * The process that serves holds the data folder alone, by a lock: a second start is refused, and
   * members found registered at a start belonged to a process that has died.
   */
  readonly ownsDataFolder: boolean;
  /**
   * Commits go to the disk of the data folder: its free room, the time of its flush and damage of
   * the file there matter.
   */
  readonly commitsToDataFolder: boolean;
  /**
   * `catalytic backup` and `catalytic restore` copy the database. A database server has better
   * tools of its own.
   */
  readonly isBackedUpHere: boolean;
  /** Connections to a database server take open files of their own. */
  readonly hasConnectionPool: boolean;
}

const profiles = {
  embedded: {
    engine: 'sqlite',
    servesManyProcesses: false,
    ownsDataFolder: true,
    commitsToDataFolder: true,
    isBackedUpHere: true,
    hasConnectionPool: false,
  },
  shared: {
    engine: 'postgres',
    servesManyProcesses: true,
    ownsDataFolder: false,
    commitsToDataFolder: false,
    isBackedUpHere: false,
    hasConnectionPool: true,
  },
} as const satisfies Record<string, Profile>;

/** The profile of a configuration. */
export const profileOf = (databaseUrl: string | undefined): Profile =>
  databaseUrl === undefined ? profiles.embedded : profiles.shared;
