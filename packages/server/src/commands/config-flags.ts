/**
 * Configuration flags of a command, made from the one schema.
 * @module
 */
import { type Command, Option as Flag } from 'commander';
import { isSwitch, type Option } from '../config/option.ts';
import { type Config, options } from '../config/options.ts';
import { readConfig } from '../config/read-config.ts';
import { fileName, flagName } from '../config/sources.ts';

const allowed = (option: Option): string => {
  switch (option.kind) {
    case 'number':
      return `${option.minimum}–${option.maximum} ${option.unit}`;
    case 'choice':
      return option.choices.join(' | ');
    case 'text':
      return 'text';
  }
};

/** Headings of the help, and the options under each. All others stand under the last heading. */
const groups: Readonly<Record<string, readonly string[]>> = {
  'Where it listens': [
    ...[
      'host',
      'port',
      'operateHost',
      'operatePort',
      'trustedProxies',
      'callerAddressFrom',
      'backlog',
      'maxConnections',
    ],
    ...['keepAliveSeconds', 'requestTimeoutMs'],
  ],
  'Where it keeps things': ['dataDir', 'databaseUrl', 'databasePoolSize', 'databaseMaxOverflow', 'workers'],
  Redis: ['redisHost', 'redisPort', 'redisMaxConnections'],
  'Tokens and sessions': [
    ...['issuer', 'audience', 'signingAlgorithm', 'signingKeyLeadSeconds'],
    ...['accessTokenSeconds', 'refreshTokenSeconds', 'refreshGraceSeconds'],
    ...['revocationLeaseMs', 'revocationAnswerMs'],
  ],
  Passwords: ['hashLanes', 'hashQueueMs', 'loginCacheSeconds'],
};
const lastGroup = 'More settings';
const groupOf = (field: string): string =>
  Object.entries(groups).find(([, fields]) => fields.includes(field))?.[0] ?? lastGroup;

/** Where settings come from. Every command's help ends its settings with it. */
const ranks = (names: readonly string[]): string =>
  `\nSettings: a flag wins over the environment variable of the same name (--data-dir: DATA_DIR), that over a line NAME=value in the --config file.${
    names.length === 0
      ? ''
      : `\nSecrets have no flag, because every user of a machine can read flags: ${names.join(', ')}. Each may stand in a file, whose path is given as NAME_FILE.`
  }\nAll of them: docs/reference/configuration.md`;

/** Fields whose options a command takes; absent: all. */
export type Fields = readonly (keyof Config)[];

/** The flag of an option; for a secret, that of the file that holds it. */
const flagOf = (option: Option, group: string): Flag => {
  if (option.secret === true)
    return new Flag(
      `--${flagName(fileName(option))} <path>`,
      `file that holds ${option.name} [environment ${fileName(option)}]`,
    ).helpGroup(group);
  const fallback = option.defaultText ?? option.default;
  const flag = new Flag(
    `--${flagName(option.name)} ${isSwitch(option) ? '[value]' : '<value>'}`,
    `${option.description} [${allowed(option)}; default ${fallback}; environment ${option.name}]`,
  ).helpGroup(group);
  return isSwitch(option) ? flag.preset('1') : flag;
};

/**
 * Adds a flag for each option, and `--config FILE`. Secrets have no flag but that of a file,
 * because every user of a machine can read the flags of a process.
 */
export const addConfigFlags = (command: Command, fields?: Fields): Command => {
  const taken = Object.entries<Option>(options).filter(([field]) => fields?.includes(field as keyof Config) !== false);
  // A few options need no headings.
  const heading = (group: string): string => (fields === undefined ? `${group}:` : 'Settings:');
  const order = [...Object.keys(groups), lastGroup];
  taken.sort(([one], [other]) => order.indexOf(groupOf(one)) - order.indexOf(groupOf(other)));
  for (const [field, option] of taken) command.addOption(flagOf(option, heading(groupOf(field))));
  command.addOption(
    new Flag('--config <file>', 'file of NAME=value lines; ranks below the environment and the flags').helpGroup(
      heading(lastGroup),
    ),
  );
  const secrets = taken.flatMap(([, { secret, name }]) => (secret === true ? [name] : []));
  return command.addHelpText('after', ranks(secrets));
};

/** Reads the configuration of a command whose flags {@link addConfigFlags} has added. */
export const configFrom = (command: Command): Config => {
  const values = command.opts<Record<string, string>>();
  const flags = Object.fromEntries(
    Object.values<Option>(options).flatMap((option) => {
      const name = option.secret === true ? fileName(option) : option.name;
      const value = values[flagName(name).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return readConfig(flags, values['config']);
};
