/**
 * Which libraries that speak OAuth can introspect our tokens, and revoke one?
 * @module
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { logOut, signIn, signUp, type Tokens } from '../tests/harness/client.ts';
import { decodeSegment } from '../tests/harness/forge.ts';
import { addGuardKey } from '../tests/harness/guard-key.ts';
import { clientIdOf } from '../tests/harness/oauth.ts';
import { oauthLibraries } from '../tests/harness/oauth-libraries.ts';
import { freePort } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { table } from './harness/figures.ts';
import { choices } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, root, startServiceOn } from './harness/services.ts';
import { missingPrograms, runSteps, type Step } from './harness/toolchains.ts';

const help = `Has oauth4webapi, openid-client, Authlib, zitadel/oidc and Spring Security introspect a live and a dead token with a guard key, and
those that can revoke the live one.

  npm run bench -- oauth-clients [--only javascript,python,go,java] [--out FILE]

Needs python3, go, javac and mvn for their libraries, and fetches the libraries. About 2 minutes. Exit code 2: a library fails, or could not be
tried because a program is missing.
`;

interface Language {
  readonly name: string;
  readonly needs: readonly string[];
  /** Files in bench/clients and where they go. */
  readonly files: Readonly<Record<string, string>>;
  readonly prepare: readonly Step[];
  readonly use: Step;
  /** The library, by how its client authenticates. */
  readonly libraries: Readonly<Record<string, string>>;
}

const languages: readonly Language[] = [
  {
    name: 'python',
    needs: ['python3'],
    files: { 'introspect.py': 'introspect.py' },
    prepare: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '-q', 'authlib==1.9.6', 'requests'],
    ],
    use: ['venv/bin/python', 'introspect.py'],
    libraries: {
      client_secret_basic: 'Authlib 1.9.6, client_secret_basic',
      client_secret_post: 'Authlib 1.9.6, client_secret_post',
    },
  },
  {
    name: 'go',
    needs: ['go'],
    files: { 'introspect.go': 'main.go' },
    prepare: [
      ['go', 'mod', 'init', 'example.com/introspect'],
      ['go', 'get', 'github.com/zitadel/oidc/v3@v3.52.0'],
      ['go', 'mod', 'tidy'],
      ['go', 'build', '-o', 'introspect', '.'],
    ],
    use: ['./introspect'],
    libraries: { client_secret_basic: 'zitadel/oidc 3.52.0' },
  },
  {
    name: 'java',
    needs: ['javac', 'mvn'],
    files: { 'Introspect.java': 'src/main/java/Introspect.java', 'introspect-pom.xml': 'pom.xml' },
    prepare: [['mvn', '-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath']],
    use: ['sh', '-c', 'exec java -cp "target/classes:$(cat classpath)" Introspect "$@"', 'sh'],
    libraries: { client_secret_basic: 'Spring Security 7.1.2' },
  },
];

/** The service, and the tokens that a library is tried with. */
interface Trial {
  readonly url: string;
  readonly key: string;
  readonly dead: string;
  readonly signIn: () => Promise<Tokens>;
}

/** What a library made of the tokens: a word for each. */
interface Outcome {
  readonly library: string;
  readonly failure?: string;
  readonly said: Readonly<Record<'live' | 'dead' | 'revoked', string>>;
}

const outcomeOf = (library: string, output: string, subject: unknown): Outcome => {
  const words = (of: string): string => {
    const said = new RegExp(`^${of} (.*)$`, 'm').exec(output)?.[1];
    return said === subject ? 'active' : (said ?? '–');
  };
  return { library, said: { live: words('live'), dead: words('dead'), revoked: words('revoked') } };
};

const inJavaScript = async ({ url, key, dead, signIn }: Trial): Promise<readonly Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const { name, introspect, revoke } of await oauthLibraries(url, key)) {
    const { access } = await signIn();
    const live = await introspect(access);
    const lines = [`live ${live}`, `dead ${(await introspect(dead)) ?? 'inactive'}`];
    await revoke(access);
    lines.push(`revoked ${(await introspect(access)) ?? 'inactive'}`);
    outcomes.push(outcomeOf(name, lines.join('\n'), decodeSegment(access, 1)['sub']));
  }
  return outcomes;
};

const inLanguage = async (language: Language, folder: string, trial: Trial): Promise<readonly Outcome[]> => {
  const { name, needs, files, prepare, use, libraries } = language;
  const failed = (library: string, failure: string): Outcome => ({
    library,
    failure,
    said: { live: 'fails', dead: '–', revoked: '–' },
  });
  const missing = missingPrograms(needs);
  if (missing.length > 0) return [failed(name, `not tried: there is no ${missing.join(', ')} on this machine`)];
  say(name);
  for (const [from, to] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(join(root, 'bench/clients', from), join(folder, to));
  }
  const prepared = runSteps(folder, prepare);
  if ('failed' in prepared) return [failed(name, prepared.failed)];
  const { url, key, dead, signIn } = trial;
  const outcomes: Outcome[] = [];
  for (const [method, library] of Object.entries(libraries)) {
    const { access } = await signIn();
    const ended = runSteps(folder, [[...use, url, clientIdOf(key), key, method, access, dead]]);
    outcomes.push(
      'failed' in ended
        ? failed(library, ended.failed)
        : outcomeOf(library, ended.output, decodeSegment(access, 1)['sub']),
    );
  }
  return outcomes;
};

await runBench({
  help,
  options: { only: choices(['javascript', ...languages.map(({ name }) => name)]) },
  measures: 'counts',
  run: async ({ values: { only } }, stack) => {
    // The issuer names the port, and libraries find the endpoints by the issuer.
    const { url, dataDir } = await startServiceOn(stack, { PORT: await freePort() });
    const email = 'introspected@example.com';
    const { access: dead } = await signUp(url, email);
    await logOut(url, dead);
    const trial: Trial = { url, key: addGuardKey(dataDir), dead, signIn: () => signIn(url, email) };
    const outcomes = only.includes('javascript') ? [...(await inJavaScript(trial))] : [];
    for (const language of languages)
      if (only.includes(language.name)) outcomes.push(...(await inLanguage(language, folderOn(stack), trial)));
    const missed = outcomes
      .filter(({ said: { live, dead, revoked } }) => `${live} ${dead}` !== 'active inactive' || revoked === 'active')
      .map(({ library, said, failure }) => `${library}: ${failure ?? Object.values(said).join(' ')}`);
    const rows = outcomes.map(({ library, said }) => [library, said.live, said.dead, said.revoked]);
    return { figures: { rows }, table: table(['library', 'live', 'signed out', 'revoked by it'], rows), missed };
  },
});
