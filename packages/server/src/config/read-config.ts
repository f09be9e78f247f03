/**
 * The one reader of the configuration: flags win over the environment, the environment over the
 * file.
 * @module
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseEnv } from 'node:util';
import { isAnyAddress, isLoopback, urlHost } from './addresses.ts';
import type { Option } from './option.ts';
import { type Config, options } from './options.ts';
import { profileOf } from './profile.ts';
import { environmentSource, fileName, fileSource, flagSource, type Source } from './sources.ts';

/**
 * A value that stops the start. The message names the option, where its value came from, and what
 * is allowed.
 */
export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
  /** Exit code of a command that ends with this error. */
  readonly exitCode: number = 2;
}

/** A value, and where it was found, in words. */
interface Found {
  readonly text: string;
  readonly source: string;
}

const readNumber = (option: Extract<Option, { kind: 'number' }>, { text, source }: Found): number => {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= option.minimum && value <= option.maximum) return value;
  throw new ConfigError(
    `Cannot use ${option.name} from ${source}: "${text}" is not a whole number from ${option.minimum} to ${option.maximum} (${option.unit})`,
  );
};

const readText = (option: Extract<Option, { kind: 'text' }>, { text, source }: Found): string => {
  if (text !== '' && (option.pattern === undefined || option.pattern.test(text))) return text;
  const shown = option.secret === true ? 'its value' : `"${text}"`;
  throw new ConfigError(`Cannot use ${option.name} from ${source}: ${shown} is not ${option.patternText ?? 'a text'}`);
};

const readChoice = (option: Extract<Option, { kind: 'choice' }>, { text, source }: Found): string => {
  if (option.choices.includes(text)) return text;
  throw new ConfigError(
    `Cannot use ${option.name} from ${source}: "${text}" is not one of ${option.choices.join(', ')}`,
  );
};

const readOption = (option: Option, found: Found | undefined): string | number | undefined => {
  if (found === undefined) return option.default;
  switch (option.kind) {
    case 'number':
      return readNumber(option, found);
    case 'text':
      return readText(option, found);
    case 'choice':
      return readChoice(option, found);
  }
};

/** Reads a file without the byte order mark that some editors put at its beginning. */
const textOf = (path: string): string => readFileSync(path, 'utf8').replace(/^\uFEFF/, '');

/**
 * Reads a file that holds one secret. Line ends at its end are of the editor, not of the secret.
 */
const readSecret = (name: string, path: string, place: string): Found => {
  try {
    const text = textOf(path).replace(/[\r\n]+$/, '');
    return { text, source: `the file ${path}` };
  } catch (error) {
    throw new ConfigError(`Cannot use ${name} from ${place}: ${(error as Error).message}`, { cause: error });
  }
};

const findIn = ({ place, value }: Source, option: Option): Found | undefined => {
  const { name } = option;
  const text = value(name, option);
  const path = option.secret === true ? value(fileName(option), option) : undefined;
  if (path === undefined) return text === undefined ? undefined : { text, source: place(name) };
  if (text !== undefined)
    throw new ConfigError(
      `Cannot use ${fileName(option)} from ${place(fileName(option))}: ${name} is given there too; take one of them away`,
    );
  return readSecret(fileName(option), path, place(fileName(option)));
};

/**
 * Finds the value of an option, or for a secret that of its file, in the first source that has one.
 * @throws {ConfigError} when a source has both, or the file cannot be read
 */
const findValue = (sources: readonly Source[], option: Option): Found | undefined => {
  for (const source of sources) {
    const found = findIn(source, option);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Standard input without its line end: for a secret that must not be a flag. */
export const readStandardInput = (): string => readFileSync(0, 'utf8').trim();

const readFile = (path: string): NodeJS.Dict<string> => {
  let values: NodeJS.Dict<string>;
  try {
    values = parseEnv(textOf(path));
  } catch (error) {
    throw new ConfigError(`Cannot read the configuration file ${path}: ${(error as Error).message}`);
  }
  const names = new Set(
    Object.values<Option>(options).flatMap((option) =>
      option.secret === true ? [option.name, fileName(option)] : [option.name],
    ),
  );
  const unknown = Object.keys(values).find((name) => !names.has(name));
  // An unknown name in our own file is a mistake; in the environment it may belong to another
  // program.
  if (unknown !== undefined) throw new ConfigError(`Cannot use ${path}: it has no option named ${unknown}`);
  return values;
};

type Values = { -readonly [Field in keyof Config]: Config[Field] | undefined };

/** Refuses to serve beyond this machine over plain HTTP or without an issuer. */
const checkReach = ({ host = '', trustedProxies, tlsCertFile, issuer }: Values): void => {
  if (isLoopback(host)) return;
  if (trustedProxies === undefined && tlsCertFile === undefined)
    throw new ConfigError(
      `Cannot use HOST ${host}: plain HTTP leaves the machine only to a proxy that ends TLS; set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES to the addresses of those proxies, or HOST to a loopback address`,
    );
  if (issuer === undefined)
    throw new ConfigError(
      `Cannot use HOST ${host}: ISSUER is not set; set it to the https URL by which clients reach the service, because it stands in every token`,
    );
};

const checkTls = ({ tlsCertFile, tlsKeyFile }: Values): void => {
  if ((tlsCertFile === undefined) === (tlsKeyFile === undefined)) return;
  const [given, missing] =
    tlsKeyFile === undefined ? ['TLS_CERT_FILE', 'TLS_KEY_FILE'] : ['TLS_KEY_FILE', 'TLS_CERT_FILE'];
  throw new ConfigError(`Cannot use ${given} without ${missing}: TLS takes both; set ${missing} too`);
};

/** A session ends with its refresh token, so an access token that outlived it would belong to none. */
const checkLifetimes = ({ accessTokenSeconds = 0, refreshTokenSeconds = 0 }: Values): void => {
  if (accessTokenSeconds > refreshTokenSeconds)
    throw new ConfigError(
      `Cannot use ACCESS_TOKEN_SECONDS ${accessTokenSeconds}: it is above REFRESH_TOKEN_SECONDS ${refreshTokenSeconds}, with which the session ends; raise that one, or lower this one`,
    );
};

/** Decides where callers are named: without trusted proxies, nowhere. */
const resolveCallers = (values: Values): void => {
  const { trustedProxies, tlsCertFile, callerAddressFrom } = values;
  if (trustedProxies === undefined && callerAddressFrom !== undefined && callerAddressFrom !== 'peer')
    throw new ConfigError(
      `Cannot use CALLER_ADDRESS_FROM ${callerAddressFrom}: TRUSTED_PROXIES is not set; set it to the addresses of the proxies, because nothing else is believed about a caller`,
    );
  // Behind TLS a proxy may pass on what it cannot read, and then the headers are the caller's own.
  values.callerAddressFrom ??= trustedProxies !== undefined && tlsCertFile === undefined ? 'headers' : 'peer';
};

/**
 * Decides where the operators' routes answer: on the public listener only of a service for
 * development. One with an issuer or with proxies is meant for clients elsewhere, and a proxy on
 * this machine would pass their requests on to a loopback address without a sign that it is one.
 */
const resolveOperate = (values: Values): void => {
  const { host = '', port, issuer, trustedProxies, operateHost, operatePort } = values;
  const isDevelopment = isLoopback(host) && issuer === undefined && trustedProxies === undefined;
  if (operateHost === undefined && operatePort === undefined && isDevelopment) return;
  values.operateHost = operateHost ?? '127.0.0.1';
  values.operatePort = operatePort ?? 9000;
  const isSamePlace = values.operateHost === host || isAnyAddress(values.operateHost) || isAnyAddress(host);
  if (port !== 0 && values.operatePort === port && isSamePlace)
    throw new ConfigError(
      `Cannot use OPERATE_PORT ${port}: the public listener takes it on ${urlHost(host)}; give another one`,
    );
};

/**
 * Reads the configuration.
 * @param flags values of command-line flags by environment name
 * @param file path of a file of `NAME=value` lines; its values rank below the environment
 * @throws {ConfigError} at the first value that is not allowed
 */
export const readConfig = (
  flags: NodeJS.Dict<string>,
  file?: string,
  environment: NodeJS.Dict<string> = process.env,
): Config => {
  const sources = [flagSource(flags), environmentSource(environment)];
  if (file !== undefined) sources.push(fileSource(file, readFile(file)));
  const values = Object.fromEntries(
    Object.entries(options).map(([field, option]) => [field, readOption(option, findValue(sources, option))]),
  ) as unknown as Values;
  checkTls(values);
  checkLifetimes(values);
  checkReach(values);
  resolveCallers(values);
  resolveOperate(values);
  values.issuer ??= `${values.tlsCertFile === undefined ? 'http' : 'https'}://${urlHost(values.host ?? '')}:${values.port}`;
  values.audience ??= values.issuer;
  const profile = profileOf(values.databaseUrl);
  values.profile = profile;
  values.workers ||= profile.servesManyProcesses ? availableParallelism() : 1;
  return values as Config;
};
