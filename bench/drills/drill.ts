/**
 * What every drill of a backup does: it starts a service and signs accounts in, moves the data, starts the service again, and counts which
 * sessions live.
 * @module
 */
import { get } from '../../tests/harness/client.ts';
import { type Crowd, gatherCrowd, judgeCrowd, signInPatiently, signOutCrowd } from '../../tests/harness/crowd.ts';
import { runCatalytic, type Service, type Settings, startService } from '../../tests/harness/service.ts';
import { largest, median, round } from '../harness/figures.ts';

/**
 * What a way of moving data promises. `no dead token`: no access token that was revoked is accepted, and nothing else; `nothing`: the drill
 * only shows what happens.
 */
export type Promised = 'everybody stays' | 'everybody signs in once' | 'no dead token' | 'nothing';

/** The figures of one drill. */
export interface DrillRow {
  readonly way: string;
  /** Whether the copy has everything that was answered. */
  readonly copy: 'complete' | 'older';
  /** Whether `catalytic after-restore` ran, or `catalytic restore`, which does the same inside. */
  readonly restored: 'yes' | 'no' | 'inside';
  readonly promised: Promised;
  /** Rows in the tables of sessions and revocations. */
  readonly rows: number;
  readonly copySeconds: number;
  readonly moveSeconds: number;
  readonly dead: { readonly sessions: number; readonly accepted: number; readonly refreshed: number };
  readonly live: { readonly sessions: number; readonly refused: number; readonly refreshed: number };
  /** Sign-outs of new sessions after the move: the sessions that were accepted all the same, and how long the answers took. */
  readonly later: {
    readonly sessions: number;
    /** Answered with 202, as until the rows of members that are gone have been removed. */
    readonly pending: number;
    readonly accepted: number;
    readonly p50Ms: number;
    readonly maxMs: number;
  };
  /** Whether a token was accepted after the command line, which has no bus, had signed its account out. */
  readonly acceptedAfterCommand: boolean;
  readonly missed: readonly string[];
}

/** Accounts of a drill, and how the service is run. */
export interface DrillPlan {
  readonly accounts: number;
  readonly dataDir: string;
  readonly settings: Settings;
}

/** Runs a service for as long as something takes. */
export const serving = async <Result>(
  { dataDir, settings }: DrillPlan,
  use: (service: Service) => Promise<Result>,
): Promise<Result> => {
  const service = await startService(dataDir, settings);
  try {
    const result = await use(service);
    await service.end();
    return result;
  } finally {
    await service.end('SIGKILL');
  }
};

/** Signs accounts in, and the first sessions out. */
export const begin = async (service: Service, { accounts }: DrillPlan): Promise<Crowd> => {
  const crowd = await gatherCrowd(service, accounts);
  await signOutCrowd(service.url, crowd.first);
  return crowd;
};

/** Runs `catalytic after-restore`. @throws Error when it refuses */
export const runRestored = async ({ dataDir, settings }: DrillPlan): Promise<void> => {
  const { code, stderr } = await runCatalytic(['after-restore'], { ...settings, DATA_DIR: dataDir });
  if (code !== 0) throw new Error(`catalytic after-restore ended with code ${code}: ${stderr}`);
};

/** Sessions that are signed out after the move. */
const laterSessions = 20;

/** Signs new sessions out, the last one by the command line: none of them may be accepted. */
const signOutLater = async (url: string, { dataDir, settings }: DrillPlan) => {
  const session = async (email: string) =>
    ({ email, by: 'session', tokens: await signInPatiently(url, email) }) as const;
  const fresh = [];
  for (let index = 0; index < laterSessions; index++) fresh.push(await session('crowd0@example.com'));
  const { timesMs, pending } = await signOutCrowd(url, fresh);
  const { accepted } = await judgeCrowd(url, fresh);
  const { tokens } = await session('crowd1@example.com');
  const words = ['accounts', 'sign-out', 'crowd1@example.com', '--tenant', 'lab'];
  const { code, stderr } = await runCatalytic(words, { ...settings, DATA_DIR: dataDir });
  if (code !== 0) throw new Error(`catalytic accounts sign-out ended with code ${code}: ${stderr}`);
  let acceptedAfterCommand = false;
  for (let time = 0; time < 10; time++)
    acceptedAfterCommand ||= (await get(`${url}/auth/verify`, tokens.access)).status === 200;
  return {
    later: {
      sessions: laterSessions,
      pending,
      accepted,
      p50Ms: round(median(timesMs)),
      maxMs: round(largest(timesMs)),
    },
    acceptedAfterCommand,
  };
};

type Told = Pick<DrillRow, 'way' | 'copy' | 'restored' | 'promised' | 'rows' | 'copySeconds' | 'moveSeconds'>;

/** Counts which sessions live after the move. */
export const tell = async ({ url }: Service, plan: DrillPlan, crowd: Crowd, told: Told): Promise<DrillRow> => {
  const dead = [...crowd.first, ...crowd.second];
  const deadFates = await judgeCrowd(url, dead);
  const liveFates = await judgeCrowd(url, crowd.kept);
  const after = await signOutLater(url, plan);
  const missed: string[] = [];
  const miss = (figure: number, what: string): void => {
    if (figure > 0 && told.promised !== 'nothing') missed.push(`${told.way}, ${told.copy} copy: ${figure} ${what}`);
  };
  miss(deadFates.accepted, 'dead access tokens were accepted');
  if (told.promised !== 'no dead token') miss(deadFates.refreshed, 'dead refresh tokens were traded');
  miss(after.later.accepted + (after.acceptedAfterCommand ? 1 : 0), 'tokens signed out after the move were accepted');
  if (told.promised === 'everybody stays') {
    miss(liveFates.refused, 'live access tokens were refused');
    miss(crowd.kept.length - liveFates.refreshed, 'live refresh tokens were refused');
  } else if (told.promised === 'everybody signs in once')
    miss(liveFates.accepted + liveFates.refreshed, 'tokens that were to end were accepted');
  return {
    ...told,
    copySeconds: round(told.copySeconds, 2),
    moveSeconds: round(told.moveSeconds, 2),
    dead: { sessions: dead.length, accepted: deadFates.accepted, refreshed: deadFates.refreshed },
    live: { sessions: crowd.kept.length, refused: liveFates.refused, refreshed: liveFates.refreshed },
    ...after,
    missed,
  };
};

/** Seconds that something takes. */
export const secondsOf = async (act: () => unknown): Promise<number> => {
  const beganMs = performance.now();
  await act();
  return (performance.now() - beganMs) / 1000;
};
