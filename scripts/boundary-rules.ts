/**
 * The tables behind `boundaries.ts`: the directions that ARCHITECTURE.md draws, as data.
 * @module
 */

interface Room {
  /** Rooms it may import. */
  readonly any?: readonly string[];
  /** Rooms of which it may import types only, from files whose path matches. */
  readonly types?: Readonly<Record<string, RegExp>>;
  /** Rooms of which it may import files whose path matches, and no others. */
  readonly files?: Readonly<Record<string, RegExp>>;
  /** Rooms whose files it may start as another process, with `new URL('…', import.meta.url)`. */
  readonly starts?: readonly string[];
}

interface Home {
  /** A dependency or a built-in module. */
  readonly name: string;
  /** Paths of the files that may import it. */
  readonly where: RegExp;
  readonly place: string;
  readonly reason: string;
}

interface Word {
  readonly object: string;
  /** Absent: any member. */
  readonly member?: string;
  /** Paths the rule is about. */
  readonly where: RegExp;
  /** Paths that may use it all the same. */
  readonly except: RegExp;
  readonly instead: string;
}

interface DeniedText {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** The rules of one source tree. */
export interface BoundaryRules {
  /** Packages, and which of ours each may import. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Rooms of the server. `main`, `app`, `deployment`: files; `top`: any other file directly under `src`. */
  readonly rooms: Readonly<Record<string, Room>>;
  /** Rooms of the lab, the lowest first: a room imports only rooms above it in this list. `main` is a file. */
  readonly labRooms: Readonly<Record<string, Room>>;
  /** Features, and which others each may import beyond the types of their ports. No circles. */
  readonly features: Readonly<Record<string, readonly string[]>>;
  readonly homes: readonly Home[];
  readonly words: readonly Word[];
  readonly vagueNames: RegExp;
  /** Most lines of a source file that is no test. */
  readonly linesMax: number;
  /** Text that no file of the tree may hold. */
  readonly deniedText: readonly DeniedText[];
}

const nowhere = /^$/;
const anywhere = /^/;
const rulesFile = /\/features\/[^/]+\/rules\.ts$/;
const passItIn = 'rules.ts is pure: pass time and randomness in';

/** The rules of this repository. */
export const boundaryRules: BoundaryRules = {
  packages: {
    protocol: [],
    guard: ['protocol'],
    server: ['protocol', 'guard'],
    lab: ['protocol'],
    console: ['protocol'],
  },

  rooms: {
    main: { any: ['commands', 'config'] },
    commands: {
      any: ['app', 'cluster', 'config', 'conformance', 'deployment', 'features', 'hashing', 'preflight', 'telemetry'],
      types: { stores: /\/stores\/stores\.ts$/, http: /\/stop-manner\.ts$/ },
    },
    // The two files that join features to stores: at rest, and serving.
    deployment: { any: ['bus', 'config', 'features', 'stores'] },
    // `app.ts` and `app/`.
    app: {
      any: ['top', 'deployment', 'bus', 'cluster', 'config', 'features', 'hashing', 'http', 'stores', 'telemetry'],
    },
    top: {
      any: ['config', 'features', 'telemetry'],
      types: { stores: /\/stores\/stores\.ts$/, http: /\/stop-manner\.ts$/ },
    },
    http: { any: ['features', 'telemetry'] },
    features: {},
    // Processes of one machine; knows of features only what travels between them.
    cluster: {
      any: ['telemetry'],
      types: { features: /\/features\/revocation\/hint-bus\.ts$/, http: /\/stop-manner\.ts$/ },
    },
    // Between machines; knows of features only what travels.
    bus: {
      any: ['config'],
      types: { features: /\/features\/revocation\/hint-bus\.ts$/ },
      files: { features: /\/features\/secrets\/message-seal\.ts$/ },
    },
    hashing: { any: ['features'] },
    // Judges what was seen; the looking at a database is the engine's.
    preflight: {
      any: ['config'],
      types: { stores: /\/stores\/postgres\/inspect\.ts$/, bus: /\/bus\/inspect-redis\.ts$/ },
      // Arithmetic that must be the same in `doctor` and at a start.
      files: { stores: /\/stores\/postgres\/connection-budget\.ts$/ },
    },
    // Ports are types. Rules are pure: an engine asks them, so that no decision of the domain stands in an engine.
    stores: { types: { features: /\/features\/[^/]+\/store\.ts$/ }, files: { features: rulesFile } },
    config: {},
    // Plays a service against guards; takes the arithmetic of leases from the real one.
    conformance: { files: { features: rulesFile, config: /\/config\/addresses\.ts$/ } },
    // Told by features through their own ports.
    telemetry: { types: { features: /\/features\/revocation\/(observer|hint-bus)\.ts$/ } },
  },

  labRooms: {
    // What a result file holds: types, and the exit codes.
    results: {},
    texts: {},
    // A server to be measured beside others; the lab starts it as a target.
    reference: {},
    containment: { any: ['results', 'texts'] },
    arrivals: { any: ['containment'] },
    statistics: { any: ['arrivals'] },
    targets: { any: ['statistics'] },
    probes: { any: ['containment', 'targets', 'texts'] },
    faults: { any: ['arrivals', 'containment', 'texts'] },
    measures: { any: ['faults', 'probes', 'results', 'statistics', 'texts'] },
    scenarios: { any: ['arrivals', 'containment', 'measures', 'results', 'targets', 'texts'] },
    options: { any: ['arrivals', 'faults', 'measures', 'results', 'scenarios', 'targets'] },
    generators: { any: ['arrivals', 'containment', 'faults', 'measures', 'options', 'probes', 'scenarios', 'targets'] },
    reports: {
      any: [
        'containment',
        'faults',
        'generators',
        'measures',
        'options',
        'probes',
        'results',
        'statistics',
        'targets',
        'texts',
      ],
    },
    live: { any: ['containment', 'measures', 'results', 'texts'] },
    runs: {
      any: [
        'arrivals',
        'containment',
        'faults',
        'generators',
        'live',
        'measures',
        'options',
        'probes',
        'reports',
        'results',
        'scenarios',
        'targets',
        'texts',
      ],
    },
    // Processes that the lab starts: targets, and runs of its own.
    launch: { any: ['containment', 'reference', 'results', 'targets', 'texts'], starts: ['main'] },
    regression: { any: ['arrivals', 'measures', 'probes', 'scenarios', 'statistics', 'targets'] },
    capacity: {
      any: ['arrivals', 'launch', 'options', 'reports', 'results', 'scenarios', 'statistics', 'targets', 'texts'],
    },
    experiments: { any: ['launch', 'measures', 'probes', 'reports', 'results', 'scenarios', 'texts'] },
    // Words of the command line: everything below takes plain values.
    commands: {
      any: [
        'arrivals',
        'capacity',
        'containment',
        'experiments',
        'faults',
        'generators',
        'launch',
        'live',
        'measures',
        'options',
        'probes',
        'reference',
        'regression',
        'reports',
        'results',
        'runs',
        'scenarios',
        'targets',
        'texts',
      ],
    },
    main: { any: ['commands', 'containment', 'results', 'texts'] },
  },

  features: {
    'access-tokens': ['signing-keys'],
    accounts: ['passwords', 'revocation', 'secrets', 'tenants'],
    'admin-keys': ['secrets', 'tenants'],
    audit: ['tenants'],
    'guard-keys': ['admin-keys', 'secrets', 'tenants'],
    guards: ['guard-keys', 'revocation', 'secrets'],
    oauth: ['access-tokens', 'admin-keys', 'guard-keys', 'revocation', 'secrets', 'sessions', 'signing-keys'],
    passwords: ['secrets'],
    sessions: ['access-tokens', 'accounts', 'passwords', 'revocation', 'secrets', 'tenants'],
    'signing-keys': ['revocation', 'secrets', 'tenants'],
    tenants: ['revocation', 'secrets'],
  },

  homes: [
    {
      name: 'node:sqlite',
      where: /^packages\/server\/src\/stores\/sqlite\//,
      place: 'packages/server/src/stores/sqlite',
      reason: 'ports speak the domain, engines stay behind them',
    },
    {
      name: 'pg',
      where: /^packages\/server\/src\/stores\/postgres\//,
      place: 'packages/server/src/stores/postgres',
      reason: 'ports speak the domain, engines stay behind them',
    },
    {
      name: '@redis/client',
      where: /^packages\/server\/src\/bus\//,
      place: 'packages/server/src/bus',
      reason: 'everything else speaks to the bus through its port',
    },
    {
      name: 'fastify',
      where: /^packages\/server\/src\/http\//,
      place: 'packages/server/src/http',
      reason: 'features describe routes, the http room mounts them',
    },
    {
      name: 'pino',
      where: /^packages\/server\/src\/telemetry\//,
      place: 'packages/server/src/telemetry',
      reason: 'import the Logger type from there',
    },
    {
      name: 'prom-client',
      where: /^packages\/server\/src\/telemetry\//,
      place: 'packages/server/src/telemetry',
      reason: 'a metric is defined there, and fed through a port of the feature',
    },
    {
      name: '@node-rs/argon2',
      where: /^packages\/server\/src\/hashing\//,
      place: 'packages/server/src/hashing/',
      reason: 'hashing in any other process slows every request',
    },
    {
      name: '@node-rs/bcrypt',
      where: /^packages\/server\/src\/hashing\//,
      place: 'packages/server/src/hashing/',
      reason: 'hashing in any other process slows every request',
    },
    {
      name: 'commander',
      where: /^packages\/(server|lab)\/src\/(main\.ts|commands\/)/,
      place: 'the command line',
      reason: 'everything else takes plain values',
    },
  ],

  words: [
    {
      object: 'process',
      member: 'env',
      where: anywhere,
      except: /^packages\/([^/]+\/src\/config\/|guard\/src\/sidecar\/main\.ts$)/,
      instead:
        'the environment is read in config/ (of the guard: by the command of its sidecar) only; take a value from there',
    },
    {
      object: 'console',
      where: anywhere,
      except: nowhere,
      instead: 'write to the log, or to process.stdout in a command',
    },
    { object: 'Date', member: 'now', where: rulesFile, except: nowhere, instead: passItIn },
    { object: 'performance', where: rulesFile, except: nowhere, instead: passItIn },
    { object: 'Math', member: 'random', where: rulesFile, except: nowhere, instead: passItIn },
    { object: 'crypto', where: rulesFile, except: nowhere, instead: passItIn },
  ],

  vagueNames: /^(utils?|helpers?|common|misc|shared|lib)$/i,
  linesMax: 400,

  // Written so that no pattern matches its own line here.
  deniedText: [
    {
      pattern: /(?<![\w.~-])\/(?:work|root|home\/\w+|Users\/\w+)\/[\w.]/,
      instead: 'a path of one machine: make it relative or configurable',
    },
    { pattern: /\bregistry\.npmjs\.org|\b_authToken\b/, instead: 'the registry is set by whoever installs' },
    { pattern: /^(?:<{7}|>{7}|\|{7}) /, instead: 'a merge conflict is left here: resolve it' },
    { pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, instead: 'a private key: make one where it is needed' },
  ],
};
