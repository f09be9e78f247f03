/**
 * Measures whether the time of a refusal tells an unknown account from a wrong password: `node tests/system/login-timing.ts [COUNT]`.
 * It prints figures and judges nothing, because a busy machine would make any limit lie.
 * @module
 */
import { post, signUp } from '../harness/client.ts';
import { removeFolder, startService, temporaryFolder } from '../harness/service.ts';

const count = Number(process.argv[2] ?? 200);

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const dataDir = temporaryFolder();
const service = await startService(dataDir);
try {
  await signUp(service.url, 'known@example.com');
  const refuse = async (email: string): Promise<number> => {
    const start = performance.now();
    const { status } = await post(`${service.url}/auth/login`, { email, password: 'wrong horse wrong battery' });
    if (status !== 401) throw new Error(`Expected a refusal, got ${status}`);
    return performance.now() - start;
  };
  for (let index = 0; index < 10; index += 1) await refuse('known@example.com');

  const wrong: number[] = [];
  const unknown: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const asks = [
      async () => wrong.push(await refuse('known@example.com')),
      async () => unknown.push(await refuse(`unknown-${index}@example.com`)),
    ];
    // Alternating order: whatever follows a pause or a collection hits both alike.
    for (const ask of index % 2 === 0 ? asks : asks.reverse()) await ask();
  }

  for (const [about, times] of [
    ['wrong password ', wrong],
    ['unknown account', unknown],
  ] as const) {
    times.sort((a, b) => a - b);
    const [p10, median, p90] = [0.1, 0.5, 0.9].map((share) => quantile(times, share).toFixed(2));
    process.stdout.write(`${about}  n ${times.length}  p10 ${p10} ms  median ${median} ms  p90 ${p90} ms\n`);
  }
  const ratio = quantile(unknown, 0.5) / quantile(wrong, 0.5);
  const slower = unknown.filter((time) => time > quantile(wrong, 0.5)).length / unknown.length;
  process.stdout.write(
    `ratio of the medians ${ratio.toFixed(3)}; unknown above the median of wrong: ${(slower * 100).toFixed(0)} %\n`,
  );
} finally {
  await service.end();
  removeFolder(dataDir);
}
