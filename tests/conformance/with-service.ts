/**
 * An API with its guard beside the service itself: sign-outs that have answered 200, and what the API says of their tokens then.
 * @module
 */
import { cleanEnvironment, startCommand } from '../../scripts/run-command.ts';
import { logOut, signIn, signUp } from '../harness/client.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { freePort, removeFolder, startService, temporaryFolder } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const email = 'grace@example.com';
const signOuts = 20;
const startMsMax = 30_000;

/** What came of it. */
export interface WithService {
  /** What the API answered before the sign-outs, and after they had answered 200: each status once. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** What sign-outs answered: each status once. */
  readonly signOuts: readonly number[];
  /** Exit code after SIGTERM. */
  readonly code: number;
}

/** Starts both, signs out, and stops. @param words the command that starts the API, at the port and with the settings in its environment */
export const tryWithService = async (words: readonly string[], path: string, PATH: string): Promise<WithService> => {
  const folder = temporaryFolder();
  const service = await startService(folder, { PORT: await freePort() });
  const port = String(await freePort());
  const key = addGuardKey(folder);
  const places = { CATALYTIC_URL: service.url, CATALYTIC_ISSUER: service.url, CATALYTIC_GUARD_KEY: key };
  const ofSidecar = { CATALYTIC_GUARD_ISSUER: service.url, CATALYTIC_GUARD_LISTEN: `127.0.0.1:${port}` };
  const [program = '', ...rest] = words;
  const env = { ...cleanEnvironment(), ...places, ...ofSidecar, PORT: port, PATH };
  const api = startCommand(program, rest, { cwd: folder, env, output: 'capture' });
  const statusOf = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers }).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status ?? 0;
  };
  try {
    const { access } = await signUp(service.url, email);
    await waitUntil('the API', 'accept a token', startMsMax, async () => (await statusOf(access)) === 200);
    const [before, after, ended] = [new Set<number>(), new Set<number>(), new Set<number>()];
    for (let count = 0; count < signOuts; count++) {
      const tokens = await signIn(service.url, email);
      before.add(await statusOf(tokens.access));
      ended.add((await logOut(service.url, tokens.access)).status);
      after.add(await statusOf(tokens.access));
    }
    api.stop();
    const { code } = await api.done;
    return { before: [...before], after: [...after], signOuts: [...ended], code };
  } finally {
    api.stop();
    await api.done;
    await service.end('SIGKILL');
    removeFolder(folder);
  }
};
