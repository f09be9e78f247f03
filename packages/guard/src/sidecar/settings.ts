/**
 * The settings of the sidecar: one table of flags, which is also its `--help`, and their reading
 * from the command line and the environment.
 * @module
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { GuardOptions } from '../options.ts';
import { type Address, readAddress } from './address.ts';
import { type PathSource, pathSources } from './original-path.ts';
import { type PathRules, readPathRules } from './path-rules.ts';

/** The settings of a sidecar. */
export interface SidecarSettings {
  readonly listen: Address;
  /** Where health and metrics are; absent: nowhere. */
  readonly operate: Address | undefined;
  /** Rights of socket files, such as 0o660. */
  readonly socketMode: number;
  readonly guard: GuardOptions;
  /** Where the path stands that the client asked for; absent: rules of paths are not in use. */
  readonly pathFrom: PathSource | undefined;
  readonly rules: PathRules;
}

/** A setting that cannot work. Its message says what to do. */
export class SettingsError extends Error {}

interface Flag {
  readonly value: string;
  readonly help: string;
  readonly isRepeatable?: true;
}

/** Every flag with a value. Each is also an environment variable: see {@link variableOf}. */
const flags = {
  listen: { value: 'ADDRESS', help: 'where gateways ask: 127.0.0.1:8680, [::1]:8680 or unix:/run/guard.sock (needed)' },
  issuer: { value: 'URL', help: 'URL of the service, its ISSUER (needed)' },
  'key-file': {
    value: 'FILE',
    help: 'file with the guard key, of "catalytic guard-keys create"; or set CATALYTIC_GUARD_KEY',
  },
  url: { value: 'URL', help: 'where the service is asked, if that is another URL than the issuer' },
  audience: { value: 'TEXT', help: 'aud of the tokens; the issuer unless given' },
  mode: { value: 'MODE', help: 'strict (sign-outs wait for this process), follow or ask; strict unless given' },
  tenant: { value: 'ID', help: 'accept tokens of this tenant only' },
  resource: {
    value: 'URL',
    help: 'URL of the API: its metadata (RFC 9728) are served, and each challenge names them',
  },
  name: { value: 'TEXT', help: "name in the service's logs and metrics; that of the machine unless given" },
  'when-stale': { value: 'CHOICE', help: 'while revocations are not known: deny (unless given), ask or allow' },
  'if-refused': {
    value: 'CHOICE',
    help: 'while the service takes no further strict guard: wait (unless given), follow',
  },
  'timeout-ms': { value: 'MS', help: 'longest time for an answer of the service; 2000 unless given' },
  require: {
    value: 'RULE',
    help: 'a rule of a path: "/notes scope=notes:write role=editor fresh=5m"; may be repeated',
    isRepeatable: true,
  },
  'path-from': {
    value: 'SOURCE',
    help: 'where rules find the path: x-original-uri (nginx), x-forwarded-uri (Caddy, Traefik), request (Envoy)',
  },
  operate: { value: 'ADDRESS', help: 'where /-/live, /-/ready and /-/metrics are; nowhere unless given' },
  'socket-mode': { value: 'MODE', help: 'rights of socket files; 660 unless given' },
} as const satisfies Readonly<Record<string, Flag>>;

type FlagName = keyof typeof flags;

const prefix = 'CATALYTIC_GUARD_';

/** The environment variable of a flag. */
const variableOf = (flag: string): string => `${prefix}${flag.replaceAll('-', '_').toUpperCase()}`;

/** The guard key itself: no flag, because every user of a machine can read the words of a command. */
const keyVariable = `${prefix}KEY`;

/** Variables that Kubernetes sets for a service named "catalytic-guard". */
const ofKubernetes = /^CATALYTIC_GUARD_(SERVICE_|PORT$|PORT_)/;

/** The text of `--help`. */
export const help = `Judges the access tokens of requests for a gateway, or for an API in any language.

  npx @catalytic/guard --listen 127.0.0.1:8680 --issuer https://id.example.com --key-file guard.key

A request of any method and path is answered by its Authorization header: 200 with Catalytic-Subject, -Tenant, -Session,
-Roles, -Scope and -Expires, and no body; or 401, 403 or 503 with problem details, WWW-Authenticate and Retry-After.

${Object.entries(flags)
  .map(([name, { value, help: text }]) => `  ${`--${name} ${value}`.padEnd(22)}${text}`)
  .join('\n')}
  --help, --version

Each flag is also a variable, --key-file for example ${variableOf('key-file')}. A flag wins over its variable.
${variableOf('require')} separates rules by semicolons.

What a request must have besides a token that is alive stands in the query of the address that the gateway asks,
/check?role=editor&scope=notes:write&tenant=ID&fresh=5m&when-stale=ask, or in rules of paths. Several values of role and
scope are all needed. A rule is true for its path and everything below; of several rules each is true. A path that could
be read in two ways (//, /../, ;, %2F) is answered 403. With --path-from request the query is that of the client, and is
not read.

Exit codes: 0 stopped by SIGTERM or SIGINT, 1 cannot serve, 2 a setting cannot work.
`;

/** The values of all flags, from the command line and else from the environment. */
const readValues = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Partial<Record<FlagName, readonly string[]>> => {
  const names = Object.keys(flags) as FlagName[];
  const variables = new Set([keyVariable, ...names.map(variableOf)]);
  for (const name of Object.keys(env))
    if (name.startsWith(prefix) && !variables.has(name) && !ofKubernetes.test(name))
      throw new SettingsError(`There is no variable ${name}: --help lists the flags, whose variables there are`);
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const, multiple: true }])),
  });
  return Object.fromEntries(
    names.flatMap((name) => {
      const given = values[name] as readonly string[] | undefined;
      const variable = env[variableOf(name)];
      const isRepeatable = (flags[name] as Flag).isRepeatable === true;
      if (given === undefined && (variable === undefined || variable === '')) return [];
      const all =
        given ?? (isRepeatable ? (variable ?? '').split(';').filter((rule) => rule.trim() !== '') : [variable]);
      if (all.length > 1 && !isRepeatable)
        throw new SettingsError(`Cannot take --${name} ${all.length} times: give it once`);
      return [[name, all]];
    }),
  );
};

const readKey = (file: string | undefined, given: string | undefined): string | undefined => {
  if (file === undefined) return given;
  if (given !== undefined) throw new SettingsError(`Cannot take two guard keys: give --key-file or ${keyVariable}`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new SettingsError(`Cannot read the guard key: ${(error as Error).message}`);
  }
};

const readMode = (text: string): number => {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new SettingsError(`Cannot give socket files the rights "${text}": write three octal digits, like 660`);
};

const readPathSource = (text: string | undefined, hasRules: boolean): PathSource | undefined => {
  if (text === undefined && !hasRules) return undefined;
  const source = pathSources.find((each) => each === text?.toLowerCase());
  if (source !== undefined) return source;
  throw new SettingsError(
    text === undefined
      ? `Cannot tell where rules find the path: give --path-from ${pathSources.join(' or ')}`
      : `Cannot take the path from "${text}": give ${pathSources.join(' or ')}`,
  );
};

/**
 * Reads the settings.
 * @param args the words after the program's name
 * @throws {SettingsError} or `TypeError` for settings that cannot work
 */
export const readSettings = (
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SidecarSettings => {
  const values = readValues(args, env);
  const one = (name: FlagName): string | undefined => values[name]?.[0];
  const needed = (name: FlagName): string => {
    const value = one(name);
    if (value === undefined) throw new SettingsError(`Cannot start without --${name}: ${flags[name].help}`);
    return value;
  };
  const operate = one('operate');
  const timeoutMs = one('timeout-ms');
  const listen = readAddress('--listen', needed('listen'));
  const guard = {
    issuer: needed('issuer'),
    key: readKey(one('key-file'), env[keyVariable] || undefined),
    url: one('url'),
    audience: one('audience'),
    // The guard refuses what is none of its choices.
    mode: one('mode') as GuardOptions['mode'],
    tenant: one('tenant'),
    resource: one('resource'),
    name: one('name'),
    whenStale: one('when-stale') as GuardOptions['whenStale'],
    ifRefused: one('if-refused') as GuardOptions['ifRefused'],
    timeoutMs: timeoutMs === undefined ? undefined : Number(timeoutMs),
  };
  const rules = readPathRules(guard.mode ?? 'strict', values.require ?? []);
  return {
    listen,
    operate: operate === undefined ? undefined : readAddress('--operate', operate),
    socketMode: readMode(one('socket-mode') ?? '660'),
    guard,
    pathFrom: readPathSource(one('path-from'), rules.length > 0),
    rules,
  };
};
