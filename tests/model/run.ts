/**
 * Explores the model of guards as far as it goes. `npm run model -- --help` explains.
 * @module
 */
import { parseArgs } from 'node:util';
import { exploreGuard } from './guard-model.ts';
import { type GuardRules, type GuardWorld, soundGuardRules } from './guard-rules.ts';
import { brokenGuards, guardWorlds } from './guard-worlds.ts';

const help = `The model of guards: explores every interleaving of a small deployment, and each rule broken once.

  npm run model                       all of it: about 20 minutes, at most 12 GB of memory
  npm run model -- --world TEXT       only worlds whose names contain this text
  npm run model -- --rule TEXT        only broken rules whose names contain this text
  npm run model -- --trace            and the steps of each violation
  npm run model -- --states 2000000   give a world up beyond so many states (default 20,000,000)

With the rules as specified no state may violate the promise: a guard accepts no token whose revocation has answered 200. With a rule broken
a shortest violation is found.

Exit codes: 0 all as it should be, 1 not, 2 usage, 3 a world was given up.
`;

const fail = (text: string): never => {
  process.stderr.write(`${text}\n`);
  process.exit(2);
};

const read = () => {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        world: { type: 'string' },
        rule: { type: 'string' },
        trace: { type: 'boolean', default: false },
        states: { type: 'string', default: '20000000' },
      },
    }).values;
  } catch (error) {
    return fail(`${(error as Error).message}; npm run model -- --help lists the options`);
  }
};

const flags = read();
const statesMax = Number(flags.states);
if (!Number.isSafeInteger(statesMax) || statesMax < 1)
  fail(`Cannot explore ${flags.states} states: give a whole number`);

const codes = new Set<0 | 1 | 3>();

const look = (name: string, rules: GuardRules, world: GuardWorld, isSound: boolean): void => {
  const before = process.cpuUsage().user;
  const { states, violation, isCut } = exploreGuard(rules, world, statesMax);
  const seconds = ((process.cpuUsage().user - before) / 1e6).toFixed(1);
  const found = violation === undefined ? 'no violation' : `a violation after ${violation.length} steps`;
  const isRight = isSound === (violation === undefined);
  codes.add(isCut ? 3 : isRight ? 0 : 1);
  const mark = isCut ? '–' : isRight ? '✔' : '✘';
  const end = isCut ? 'given up' : found;
  process.stdout.write(
    `${mark} ${name.padEnd(62)} ${states.toLocaleString('en').padStart(12)} states ${seconds.padStart(7)} s   ${end}\n`,
  );
  if (flags.trace && violation !== undefined)
    for (const [at, step] of violation.entries()) process.stdout.write(`    ${at + 1}. ${step}\n`);
};

if (flags.help) process.stdout.write(help);
else {
  const isWanted = (text: string | undefined, other: string | undefined, name: string): boolean =>
    text === undefined ? other === undefined : name.toLowerCase().includes(text.toLowerCase());
  for (const [name, world] of Object.entries(guardWorlds))
    if (isWanted(flags.world, flags.rule, name)) look(name, soundGuardRules, world, true);
  for (const { name, rules, world } of brokenGuards)
    if (isWanted(flags.rule, flags.world, name)) look(`${name} broken`, rules, world, false);
  if (codes.size === 0) fail('No world and no rule has that in its name');
  process.exitCode = Math.max(...(codes.has(1) ? [1] : codes));
}
