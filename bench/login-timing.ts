/**
 * Does the time of a refusal tell an unknown account from a wrong password?
 * @module
 */
import { shuffled } from '../packages/lab/src/arrivals/random.ts';
import { post, signUp } from '../tests/harness/client.ts';
import { randomFrom, seed } from '../tests/harness/seed.ts';
import { runBench } from './harness/bench.ts';
import { median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { startServiceOn } from './harness/services.ts';

const help = `Signs in with a wrong password and with unknown accounts, one of each in random order, and compares how long the refusals take. It has no aim.

  npm run bench -- login-timing [--count 200] [--out FILE]
`;

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
    const { url } = await startServiceOn(stack, {});
    await signUp(url, 'known@example.com');
    const refuse = async (email: string): Promise<number> => {
      const beganMs = performance.now();
      const { status } = await post(`${url}/auth/login`, { email, password: 'wrong horse wrong battery' });
      if (status !== 401) throw new Error(`Expected a refusal, got ${status}`);
      return performance.now() - beganMs;
    };
    for (let index = 0; index < warmUps; index++) await refuse('known@example.com');

    const random = randomFrom(seed);
    const wrong: number[] = [];
    const unknown: number[] = [];
    for (let index = 0; index < count; index++) {
      const asks = [
        async () => wrong.push(await refuse('known@example.com')),
        async () => unknown.push(await refuse(`unknown-${index}@example.com`)),
      ];
      for (const ask of shuffled(asks, random)) await ask();
    }
    const rows = Object.entries({ 'wrong password': wrong, 'unknown account': unknown }).map(([account, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const [p10Ms, p50Ms, p90Ms] = [0.1, 0.5, 0.9].map((share) => round(quantile(sorted, share), 2));
      return { account, refusals: times.length, p10Ms, p50Ms, p90Ms };
    });
    const middle = median(wrong);
    const ratioOfMedians = round(median(unknown) / middle, 3);
    const above = round((100 * unknown.filter((ms) => ms > middle).length) / unknown.length, 0);
    return {
      figures: { rows, ratioOfMedians, unknownAboveMedianOfWrongPercent: above },
      table: `${table(
        ['', 'refusals', 'p10 ms', 'p50 ms', 'p90 ms'],
        rows.map((one) => Object.values(one)),
      )}
ratio of the medians ${ratioOfMedians}; unknown above the median of wrong: ${above} %\n`,
    };
  },
});
