/**
 * Does the time of a refusal tell an unknown account from a wrong password, or the kind of hash that is stored?
 * @module
 */
import { argon2idCost, argon2idPrefix } from '@catalytic/protocol/argon2id-cost';
import { shuffled } from '../packages/lab/src/arrivals/random.ts';
import { importLines, readLabKey } from '../tests/harness/accounts.ts';
import { post } from '../tests/harness/client.ts';
import { randomFrom, seed } from '../tests/harness/seed.ts';
import { runBench } from './harness/bench.ts';
import { median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { startServiceOn } from './harness/services.ts';

const help = `Signs in with a wrong password to accounts with each kind of stored hash, and to unknown accounts, one of each in random order, and compares how long the refusals take. It has no aim.

  npm run bench -- login-timing [--count 200] [--out FILE]
`;

const saltAndTag = `$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Stored hashes that no password matches, by their kind. */
const hashes: readonly (readonly [string, string])[] = [
  ['ours', `${argon2idPrefix(argon2idCost)}${saltAndTag}`],
  ['bcrypt 4', `$2b$04$${'.'.repeat(53)}`],
  ['bcrypt 12', `$2b$12$${'.'.repeat(53)}`],
  ['PBKDF2 1000', `$pbkdf2-sha256$i=1000${saltAndTag}`],
  ['PBKDF2 600000', `$pbkdf2-sha256$i=600000${saltAndTag}`],
  ['scrypt 2^17', `$scrypt$ln=17,r=8,p=1${saltAndTag}`],
];
const emailOf = (kind: string): string => `${kind.replace(/\W/g, '-')}@example.com`;

/** Refusals before the first that counts. */
const warmUps = 10;

/** The value below which a share of the sorted ones lies. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

await runBench({
  help,
  options: { count: number(200, { max: 100_000 }) },
  measures: 'times',
  run: async ({ values: { count } }, stack) => {
    const { url, dataDir } = await startServiceOn(stack, {});
    const lines = hashes.map(([kind, password_hash]) => JSON.stringify({ email: emailOf(kind), password_hash }));
    const imported = await importLines(url, readLabKey(dataDir), lines.join('\n'));
    if (imported.status !== 200) throw new Error(`Cannot import: ${imported.text}`);
    const refuse = async (email: string): Promise<number> => {
      const beganMs = performance.now();
      const body = { email, password: 'wrong horse wrong battery', tenant: 'lab' };
      const { status } = await post(`${url}/auth/login`, body);
      if (status !== 401) throw new Error(`Expected a refusal, got ${status}`);
      return performance.now() - beganMs;
    };
    for (let index = 0; index < warmUps; index++) await refuse('unknown@example.com');

    const random = randomFrom(seed);
    const unknown: number[] = [];
    const wrong = new Map(hashes.map(([kind]) => [kind, [] as number[]]));
    for (let index = 0; index < count; index++) {
      const asks = [
        async () => unknown.push(await refuse(`unknown-${index}@example.com`)),
        ...[...wrong].map(
          ([kind, times]) =>
            async () =>
              times.push(await refuse(emailOf(kind))),
        ),
      ];
      for (const ask of shuffled(asks, random)) await ask();
    }
    const middle = median(unknown);
    const rows = [['unknown account', unknown] as const, ...wrong].map(([account, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const [p10Ms, p50Ms, p90Ms] = [0.1, 0.5, 0.9].map((share) => round(quantile(sorted, share), 2));
      const ratio = round(median(times) / middle, 3);
      return { account, refusals: times.length, p10Ms, p50Ms, p90Ms, ratio };
    });
    return {
      figures: { rows },
      table: table(
        ['', 'refusals', 'p10 ms', 'p50 ms', 'p90 ms', 'median / unknown'],
        rows.map((one) => Object.values(one)),
      ),
    };
  },
});
