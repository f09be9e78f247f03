/**
 * `catalytic guard-conformance`: plays a service against a guard in any language, and says which
 * rules of the protocol it breaks.
 * @module
 */
import { createServer } from 'node:net';
import { Command, Option as Flag, InvalidArgumentError } from 'commander';
import { environmentWith } from '../config/child-environment.ts';
import { conformanceRules, type RuleName, ruleNames } from '../conformance/rules.ts';
import { TriedApi } from '../conformance/tried-api.ts';
import { CannotTryError, type Decided, type TryOptions, tryGuard } from '../conformance/try-guard.ts';
import { counted } from './counted.ts';
import { addHelpExamples } from './help-examples.ts';

interface Options {
  readonly path: string;
  readonly mode: 'strict' | 'follow';
  readonly lease: number;
  readonly only?: readonly RuleName[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly issuer?: string;
  readonly audience?: string;
  readonly key: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

const exitCodes = { kept: 0, broken: 1, untried: 2 } as const;
/** Address of the played service for an API that runs already: it must be known beforehand. */
const usualPort = 8900;
/** Longest time until a started API has asked, and one that somebody starts by hand, milliseconds. */
const startMsMax = { command: 30_000, url: 120_000 } as const;

const leaseOf = (text: string): number => {
  if (/^\d{3,5}$/.test(text) && Number(text) >= 500 && Number(text) <= 30_000) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 500 to 30000.');
};

const rulesOf = (text: string): readonly RuleName[] => {
  const names = text.split(',');
  const unknown = names.find((name) => !(ruleNames as readonly string[]).includes(name));
  if (unknown === undefined) return names as RuleName[];
  throw new InvalidArgumentError(`There is no rule "${unknown}"; --list names them.`);
};

const listenOf = (text: string): Options['listen'] => {
  const [, bracketed, plain = '', port = ''] = /^(?:\[([0-9a-f:.]+)\]|([^:]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== '' && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new InvalidArgumentError('Give HOST:PORT.');
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};

type OpenApi = TryOptions['openApi'];

/** An API that runs already, or is started by hand now. */
const runningApi =
  (url: string, { key }: Options): OpenApi =>
  (place) => {
    process.stderr.write(
      `The service is played at ${place.url} for two minutes: let the guard of ${url} ask there, with the issuer ${place.issuer} and the key ${key}\n`,
    );
    return new TriedApi(url);
  };

/** An API that this process starts, with settings in environment variables. */
const startedApi =
  (
    command: readonly [string, ...string[]],
    { path, key, audience }: Options,
    onOpen: (api: TriedApi) => void,
  ): OpenApi =>
  async ({ url, issuer }) => {
    const port = await freePort();
    const environment = environmentWith({
      ...{ PORT: String(port), CATALYTIC_URL: url, CATALYTIC_ISSUER: issuer, CATALYTIC_GUARD_KEY: key },
      // What the sidecar reads.
      ...{ CATALYTIC_GUARD_URL: url, CATALYTIC_GUARD_ISSUER: issuer, CATALYTIC_GUARD_LISTEN: `127.0.0.1:${port}` },
      ...(audience !== undefined && { CATALYTIC_AUDIENCE: audience, CATALYTIC_GUARD_AUDIENCE: audience }),
    });
    const api = new TriedApi(`http://127.0.0.1:${port}${path}`, { command, environment });
    onOpen(api);
    return api;
  };

const linesOf = (decided: Decided): string => {
  const head = `${decided.verdict.padEnd(7)}  ${decided.rule}`;
  switch (decided.verdict) {
    case 'kept':
      return `${head}\n`;
    case 'skipped':
      return `${head}: ${decided.reason}\n`;
    case 'broken':
      return `${head}: ${conformanceRules[decided.rule]}\n           expected  ${decided.expected}\n           seen      ${decided.seen}\n`;
  }
};

const list = (): void => {
  const width = Math.max(...ruleNames.map((name) => name.length));
  for (const name of ruleNames) process.stdout.write(`${name.padEnd(width)}  ${conformanceRules[name]}\n`);
};

const report = (options: Options, decided: readonly Decided[]): void => {
  const count = (verdict: Decided['verdict']): number => decided.filter((one) => one.verdict === verdict).length;
  const exitCode = count('broken') > 0 ? exitCodes.broken : exitCodes.kept;
  process.exitCode = exitCode;
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ exit_code: exitCode, mode: options.mode, lease_ms: options.lease, rules: decided }, null, 2)}\n`
      : `${counted(count('kept'), 'rule')} kept, ${count('broken')} broken, ${count('skipped')} skipped\n`,
  );
};

const tryIt = async (target: readonly string[], options: Options, command: Command): Promise<void> => {
  if (options.list === true) return list();
  const [first, ...rest] = target;
  if (first === undefined) return command.error('error: give the URL of an API, or a command that starts it');
  const isUrl = rest.length === 0 && URL.canParse(first) && /^https?:\/\//.test(first);
  let api: TriedApi | undefined;
  // Its process is in a group of its own, which a signal of the terminal does not reach.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void (api?.kill() ?? Promise.resolve()).finally(() => process.exit(130)));
  const onOpen = (opened: TriedApi): void => {
    api = opened;
  };
  const isPortGiven = command.getOptionValueSource('listen') === 'cli';
  const { host, port } = options.listen;
  try {
    const decided = await tryGuard({
      ...{ host, port: isUrl || isPortGiven ? port : 0, issuer: options.issuer, audience: options.audience },
      ...{ key: options.key, leaseMs: options.lease, isStrict: options.mode === 'strict' },
      rules: options.only ?? ruleNames,
      startMsMax: isUrl ? startMsMax.url : startMsMax.command,
      openApi: isUrl ? runningApi(first, options) : startedApi([first, ...rest], options, onOpen),
      onDecided: (one) => (options.json === true ? process.stderr : process.stdout).write(linesOf(one)),
    });
    report(options, decided);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!(error instanceof CannotTryError) && code === undefined) throw error;
    process.stderr.write(`catalytic: ${message}\n`);
    process.exitCode = exitCodes.untried;
  }
};

/** The command. */
export const guardConformanceCommand = (): Command => {
  const command = new Command('guard-conformance')
    .summary('does a guard, in any language, keep the rules of the protocol?')
    .description(
      'Play a service against the guard of an API, and say which rules of docs/reference/guard-protocol.md it breaks. A command is started with PORT, CATALYTIC_URL, CATALYTIC_ISSUER and CATALYTIC_GUARD_KEY in its environment, and with CATALYTIC_GUARD_LISTEN, _URL and _ISSUER for the sidecar; it must serve GET on 127.0.0.1 at that port, and end at SIGTERM (a shell script starts it with exec). With a URL, the guard of an API that runs elsewhere asks the played service at --listen; what needs a process is skipped. Takes about half a minute. Needs no service, and changes none.',
    )
    .argument('[target...]', 'URL of an API, or -- and the command that starts one')
    .addOption(new Flag('--path <path>', 'a path of the API that its guard protects').default('/'))
    .addOption(new Flag('--mode <mode>', 'what the guard is').choices(['strict', 'follow']).default('strict'))
    .addOption(new Flag('--lease <ms>', 'length of the leases').argParser(leaseOf).default(2000))
    .addOption(new Flag('--only <rules>', 'these rules only, with commas between').argParser(rulesOf))
    .addOption(
      new Flag('--listen <address>', 'where the service is played, for a URL; for a command any free port')
        .argParser(listenOf)
        .default({ host: '127.0.0.1', port: usualPort }, `127.0.0.1:${usualPort}`),
    )
    .addOption(new Flag('--issuer <url>', 'the issuer of the tokens, if it is not the address of the played service'))
    .addOption(new Flag('--audience <audience>', 'the audience of the tokens, if it is not the issuer'))
    .addOption(new Flag('--key <key>', 'the guard key').default('conformance-key'))
    .addOption(new Flag('--list', 'list the rules'))
    .addOption(new Flag('--json', 'print the result as JSON; progress goes to standard error'))
    .action((target: readonly string[], options: Options, self: Command) => tryIt(target, options, self));
  return addHelpExamples(
    command,
    [
      ['guard-conformance --path /notes -- python3 examples/python-guard/api.py', 'start an API, and try its guard'],
      ['guard-conformance http://127.0.0.1:3000/notes', 'try the guard of an API that runs'],
      ['guard-conformance --only lease-ends,left-on-stop -- ./api', 'only some rules'],
    ],
    [
      [exitCodes.kept, 'every rule that was tried is kept'],
      [exitCodes.broken, 'a rule is broken'],
      [exitCodes.untried, 'the guard could not be tried (or the command line is wrong)'],
    ],
  );
};
