#!/usr/bin/env node
/**
 * The command line.
 * @module
 */
import { createRequire } from 'node:module';
import { CatalyticError } from '@catalytic/protocol/errors';
import { Command, CommanderError } from 'commander';
import { addHelpExamples } from './commands/help-examples.ts';
import { keepCompiledModules } from './config/compiled-modules.ts';
import { ConfigError } from './config/read-config.ts';

keepCompiledModules();

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Every command under its heading, in the order of the help. */
const commands: Readonly<Record<string, Readonly<Record<string, () => Promise<Command>>>>> = {
  'Run it:': {
    serve: async () => (await import('./commands/serve.ts')).serveCommand(),
    doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
    'hash-capacity': async () => (await import('./commands/hash-capacity.ts')).hashCapacityCommand(),
  },
  'Who uses it:': {
    accounts: async () => (await import('./commands/accounts.ts')).accountsCommand(),
    tenants: async () => (await import('./commands/tenants.ts')).tenantsCommand(),
    audit: async () => (await import('./commands/audit.ts')).auditCommand(),
  },
  'Keep it:': {
    backup: async () => (await import('./commands/backup.ts')).backupCommand(),
    restore: async () => (await import('./commands/restore.ts')).restoreCommand(),
    'after-restore': async () => (await import('./commands/after-restore.ts')).afterRestoreCommand(),
    migrate: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  },
  'Keys:': {
    keys: async () => (await import('./commands/keys.ts')).keysCommand(),
    'admin-keys': async () => (await import('./commands/admin-keys.ts')).adminKeysCommand(),
    'guard-keys': async () => (await import('./commands/guard-keys.ts')).guardKeysCommand(),
    'guard-conformance': async () => (await import('./commands/guard-conformance.ts')).guardConformanceCommand(),
  },
};

/** Former names of commands, understood for one version. */
const formerNames: Readonly<Record<string, string>> = { restored: 'after-restore' };

const program = new Command('catalytic')
  .description(
    'Self-hosted, multi-tenant authentication: tokens checked at the speed of a JWT, dead the moment logout answers 200.',
  )
  .version(`${version} (Node ${process.versions.node}, SQLite ${process.versions['sqlite']})`)
  .showHelpAfterError('"catalytic --help", or --help after a command, lists what there is.');

// Each command loads its own modules: the one that is asked for need not wait for those of the
// others.
const [node = '', file = '', given = '', ...rest] = process.argv;
const asked = Object.hasOwn(formerNames, given) ? (formerNames[given] ?? given) : given;
const isKnown = Object.values(commands).some((group) => Object.hasOwn(group, asked));
// Else it would stand alone under a heading of its own.
program.commandsGroup('Run it:').helpCommand('help [command]', 'show the help of a command');
for (const [heading, group] of Object.entries(commands)) {
  program.commandsGroup(heading);
  for (const [name, load] of Object.entries(group)) if (!isKnown || name === asked) program.addCommand(await load());
}

addHelpExamples(program, [
  ['serve', 'serve on 127.0.0.1:8000, data in ./data ("npm start" adds --trial: a key for the load lab)'],
  ['doctor', 'is this machine large enough, and how many users does it carry?'],
  ['backup --to /backups/today', 'a consistent copy while the service runs'],
  ['keys rotate', 'replace the signing key of a running service'],
  ['serve --help', 'every setting; flags win over the environment, the environment over --config'],
]);

/**
 * Makes every command throw its usage errors, which the end of this file handles. Only commands
 * that commander makes inherit that.
 */
const throwUsage = (command: Command): void => {
  command.exitOverride();
  for (const inner of command.commands) throwUsage(inner);
};
throwUsage(program);

// A reader of our output may stop reading (`catalytic audit list | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Files that a command creates belong to this user alone.
process.umask(0o077);

// Without a listener this signal would open Node's inspector, in which any user of the machine can
// run code. Tools that rotate logs send it to programs that they take for their own.
process.on('SIGUSR1', () => {});

try {
  await program.parseAsync(given === '' ? process.argv : [node, file, asked, ...rest]);
} catch (error) {
  // Commander has printed help, or an error of the command line.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof ConfigError || error instanceof CatalyticError) {
    const fields = error instanceof CatalyticError ? (error.fields ?? []) : [];
    const reasons = fields.map(({ field, message }) => `; ${field} ${message}`).join('');
    process.stderr.write(`catalytic: ${error.message}${reasons}\n`);
    process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
  } else throw error;
}
