/**
 * Where the value of an option comes from: flags, the environment, a file. Values of the
 * environment are read as orchestrators hand them over.
 * @module
 */
import type { Option } from './option.ts';

/** The flag of a name, without dashes: `ACCESS_TOKEN_SECONDS` → `access-token-seconds`. */
export const flagName = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** The name by which a secret is given as the path of a file that holds it. */
export const fileName = ({ name }: Pick<Option, 'name'>): string => `${name}_FILE`;

/** One source of values. */
export interface Source {
  /** Where a value of this name stands, in words. */
  readonly place: (name: string) => string;
  /** The value of this name; `undefined`: the source has none. */
  readonly value: (name: string, option: Option) => string | undefined;
}

/** The flags of a command, taken as they are. */
export const flagSource = (flags: NodeJS.Dict<string>): Source => ({
  place: (name) => `the flag --${flagName(name)}`,
  value: (name) => flags[name],
});

/**
 * What a value means that went through a file of an orchestrator. A line end at its end, and quotes
 * around it, are of the file: "docker run --env-file" takes both for part of the value. An empty
 * value, as compose files make of a variable that is not set, is none.
 */
const meaningOf = (text: string | undefined): string | undefined => {
  const trimmed = text?.trim() ?? '';
  const meaning = /^(["'])(.*)\1$/s.exec(trimmed)?.[2] ?? trimmed;
  return meaning === '' ? undefined : meaning;
};

/**
 * Whether Kubernetes has set the variable: for a service named `redis` it puts
 * `REDIS_PORT=tcp://10.0.0.11:6379` into the environment of every container
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
const isOfKubernetes = (text: string, option: Option): boolean =>
  option.kind === 'number' && option.unit === 'port' && /^(tcp|udp|sctp):\/\//.test(text);

/** The environment of the process. */
export const environmentSource = (environment: NodeJS.Dict<string>): Source => ({
  place: () => 'the environment',
  value: (name, option) => {
    const text = meaningOf(environment[name]);
    return text === undefined || isOfKubernetes(text, option) ? undefined : text;
  },
});

/** The values of a file of `NAME=value` lines. */
export const fileSource = (path: string, values: NodeJS.Dict<string>): Source => ({
  place: () => `the file ${path}`,
  value: (name) => meaningOf(values[name]),
});
