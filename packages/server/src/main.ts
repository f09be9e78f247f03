#!/usr/bin/env node
/**
 * The command line.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { Command, CommanderError } from 'commander';
import { accountsCommand } from './commands/accounts.ts';
import { adminKeysCommand } from './commands/admin-keys.ts';
import { backupCommand } from './commands/backup.ts';
import { doctorCommand } from './commands/doctor.ts';
import { hashCapacityCommand } from './commands/hash-capacity.ts';
import { keysCommand } from './commands/keys.ts';
import { migrateCommand } from './commands/migrate.ts';
import { restoreCommand } from './commands/restore.ts';
import { restoredCommand } from './commands/restored.ts';
import { serveCommand } from './commands/serve.ts';
import { tenantsCommand } from './commands/tenants.ts';
import { ConfigError } from './config/read-config.ts';

const program = new Command('catalytic')
  .description(
    'Self-hosted, multi-tenant authentication: tokens checked at the speed of a JWT, dead the moment logout answers 200.',
  )
  .addCommand(serveCommand())
  .addCommand(accountsCommand())
  .addCommand(tenantsCommand())
  .addCommand(adminKeysCommand())
  .addCommand(keysCommand())
  .addCommand(migrateCommand())
  .addCommand(backupCommand())
  .addCommand(restoreCommand())
  .addCommand(restoredCommand())
  .addCommand(doctorCommand())
  .addCommand(hashCapacityCommand())
  .addHelpText(
    'after',
    `
Examples:
  npm start                                             serve on 127.0.0.1:8000, data in ./data
  npm start -- --port 8080 --login-cache-seconds 300    flags win over the environment, the environment over --config
  npm run catalytic -- keys rotate                      replace the signing key of a running server`,
  );

// Whatever a command creates belongs to this user alone.
process.umask(0o077);

try {
  await program.parseAsync();
} catch (error) {
  // Help, or a refusal of the command line, which commander has printed.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof ConfigError || error instanceof CatalyticError) {
    const fields = error instanceof CatalyticError ? (error.fields ?? []) : [];
    const reasons = fields.map(({ field, message }) => `; ${field} ${message}`).join('');
    process.stderr.write(`catalytic: ${error.message}${reasons}\n`);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  } else throw error;
}
