/**
 * Configuration flags of a command, made from the one schema.
 * @module
 */
import { type Command, Option as Flag } from 'commander';
import type { Option } from '../config/option.ts';
import { type Config, options } from '../config/options.ts';
import { flagName, readConfig } from '../config/read-config.ts';

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

/** Names of the fields whose options a command takes; absent: all. */
export type Fields = readonly (keyof Config)[];

/** Adds a flag for each option, and `--config FILE`. Secrets have no flag: every user of a machine can read the flags of a process. */
export const addConfigFlags = (command: Command, fields?: Fields): Command => {
  command.addOption(new Flag('--config <file>', 'file of NAME=value lines; ranks below the environment and the flags'));
  for (const [field, option] of Object.entries<Option>(options)) {
    if (option.secret === true || fields?.includes(field as keyof Config) === false) continue;
    const fallback = option.defaultText ?? option.default;
    command.addOption(
      new Flag(
        `--${flagName(option)} <value>`,
        `${option.description} [${allowed(option)}; default ${fallback}; environment ${option.name}]`,
      ),
    );
  }
  return command;
};

/** Reads the configuration of a command that was given its flags by {@link addConfigFlags}. */
export const configFrom = (command: Command): Config => {
  const values = command.opts<Record<string, string>>();
  const flags = Object.fromEntries(
    Object.values<Option>(options).flatMap((option) => {
      const value = values[flagName(option).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return value === undefined ? [] : [[option.name, value]];
    }),
  );
  return readConfig(flags, values['config']);
};
