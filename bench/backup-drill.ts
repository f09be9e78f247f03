/**
 * Drills of backups and of moves: what each way keeps, what it forgets, and what `catalytic restored` undoes of the damage.
 * @module
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DrillRow } from './drills/drill.ts';
import { postgresDrills } from './drills/postgres-ways.ts';
import { sqliteDrills } from './drills/sqlite-ways.ts';
import { table } from './figures.ts';
import { machine, numberOption, report, say } from './setting.ts';

const drills = { ...postgresDrills, ...sqliteDrills };
const names = Object.keys(drills);

const help = `Drills of backups, each with a service in processes of its own: people sign in, some are signed out before the copy and some after it, the
copy takes the place of the data as docs/operating/backups-and-upgrades.md says, and everybody's tokens are shown again.

  node bench/backup-drill.ts [DRILL …] [--accounts 50] [--out FILE]

Drills: ${names.join(', ')}. @default all
Needs pg_dump, psql, pg_basebackup and pg_upgrade: of the PostgreSQL that is installed, or of Debian's packages. About 5 minutes.
Exit code 2: a dead token was accepted, or a live one refused where everybody was to stay.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    accounts: { type: 'string', default: '50' },
    out: { type: 'string' },
  },
});

const inTable = (rows: readonly DrillRow[]): string =>
  table(
    [
      'way',
      'copy',
      'restored',
      'promised',
      'rows',
      'copy s',
      'move s',
      'dead accepted',
      'dead refreshed',
      'live refused',
      'live refreshed',
      'later accepted',
      'later 202',
      'later ms p50',
      'later ms max',
    ],
    rows.map((row) => [
      row.way,
      row.copy,
      row.restored,
      row.promised,
      row.rows,
      row.copySeconds,
      row.moveSeconds,
      `${row.dead.accepted} of ${row.dead.sessions}`,
      row.dead.refreshed,
      `${row.live.refused} of ${row.live.sessions}`,
      row.live.refreshed,
      row.later.accepted + (row.acceptedAfterCommand ? 1 : 0),
      row.later.pending,
      row.later.p50Ms,
      row.later.maxMs,
    ]),
  );

const main = async (): Promise<void> => {
  const accounts = numberOption('accounts', values.accounts, { min: 10, max: 10_000 });
  const wanted = positionals.length === 0 ? names : positionals;
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`There is no drill ${unknown}: there are ${names.join(', ')}`);
  const rows: DrillRow[] = [];
  for (const name of wanted) {
    say(name);
    rows.push(...((await drills[name]?.({ accounts, workers: 2 })) ?? []));
  }
  const missed = rows.flatMap((row) => row.missed);
  const result = { machine: machine(), at: new Date().toISOString(), accounts, missed, rows };
  if (values.out === undefined) report(result);
  else writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\n${inTable(rows)}\n${missed.map((sentence) => `missed: ${sentence}\n`).join('')}`);
  process.exitCode = missed.length > 0 ? 2 : 0;
};

if (values.help === true) process.stdout.write(help);
else await main();
