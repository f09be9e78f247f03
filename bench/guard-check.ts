/**
 * What does a verdict of a guard cost, without a request to the service?
 * @module
 */
import { createGuard } from '@catalytic/guard';
import { testIssuer } from '@catalytic/guard/testing';
import { runBench } from './harness/bench.ts';
import { median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { dealRounds } from './harness/rounds.ts';

const help = `One verdict of a strict guard that is current, microseconds: guard.check(token), and guard.verify of a whole header.

  npm run bench -- guard-check [--rounds 10] [--tokens 1000] [--entries 10000] [--out FILE]

The text of each token is made anew for each verdict, as a server makes it from a request, and its cost is taken off. A token is warm when the guard
has checked its signature before. Aim: a warm check within 1 microsecond. About half a minute.
`;

const warmMicrosecondsMax = 1;
const blockMs = 250;

/** A text of its own, as if it had just been read from a socket. */
const copyOf = (bytes: Buffer): string => bytes.toString('latin1');

await runBench({
  help,
  options: {
    rounds: number(10, { min: 3, max: 100 }),
    tokens: number(1000, { min: 1, max: 10_000 }),
    entries: number(10_000, { min: 0, max: 100_000 }),
  },
  measures: 'times',
  run: async ({ values: { rounds, tokens, entries } }, stack) => {
    const service = await testIssuer({ leaseMs: 30_000 });
    stack.defer(() => service.close());
    const session = (index: number): string => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    for (let index = 0; index < entries; index++) void service.revoke(service.token({ session: session(index) }));
    const guard = await createGuard({ issuer: service.issuer, key: service.key });
    stack.defer(() => guard.stop());
    const texts = Array.from({ length: tokens }, () => Buffer.from(service.token({ roles: ['editor'] })));
    const headers = texts.map((text) => Buffer.from(`Bearer ${text.toString()}`));

    /** Microseconds of one act, by whole passes over the tokens. */
    const measure = async (list: readonly Buffer[], act: (text: string) => unknown): Promise<number> => {
      const beganMs = performance.now();
      let count = 0;
      do {
        for (const bytes of list) {
          const done = act(copyOf(bytes));
          if (done instanceof Promise) await done;
        }
        count += list.length;
      } while (performance.now() - beganMs < blockMs);
      return ((performance.now() - beganMs) * 1000) / count;
    };
    for (const text of texts) if (!guard.check(text.toString()).accepted) throw new Error('A live token is refused');
    const blocks = await dealRounds(
      {
        'the text alone': () => measure(texts, () => {}),
        check: () => measure(texts, (text) => guard.check(text)),
        'the header alone': () => measure(headers, async () => {}),
        verify: () => measure(headers, (text) => guard.verify(text)),
      },
      rounds,
    );
    const of = (name: string): number => median(blocks.get(name) ?? []);
    const checkMicroseconds = round(of('check') - of('the text alone'), 2);
    const verifyMicroseconds = round(of('verify') - of('the header alone'), 2);
    const [first = Buffer.from('')] = texts;
    const fresh = Array.from({ length: 500 }, () => service.token());
    const beganMs = performance.now();
    for (const token of fresh) guard.check(token);
    const coldMicroseconds = round(((performance.now() - beganMs) * 1000) / fresh.length);
    return {
      figures: {
        entries: guard.state.entries,
        tokens,
        tokenCharacters: first.length,
        checkMicroseconds,
        verifyMicroseconds,
        coldMicroseconds,
      },
      table: table(
        ['revocations held', 'check, warm, µs', 'verify, warm, µs', 'check, first time, µs'],
        [[guard.state.entries, checkMicroseconds, verifyMicroseconds, coldMicroseconds]],
      ),
      missed:
        checkMicroseconds > warmMicrosecondsMax
          ? [`a warm check takes ${checkMicroseconds} µs, more than ${warmMicrosecondsMax}`]
          : [],
    };
  },
});
