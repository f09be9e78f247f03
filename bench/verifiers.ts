/**
 * Which verifiers of other languages accept our tokens by our JWKS, for each signing algorithm?
 * @module
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { algorithmNames } from '@catalytic/guard/algorithms';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { signUp } from '../tests/harness/client.ts';
import { freePort } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { table } from './harness/figures.ts';
import { choices } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, root, startServiceOn } from './harness/services.ts';
import { missingPrograms, runSteps, type Step } from './harness/toolchains.ts';

const help = `Signs a token with each algorithm, and has it verified by jose, PyJWT, jwx, Nimbus and Spring Security, each with the keys at /.well-known/jwks.json.

  npm run bench -- verifiers [--only jose,pyjwt,jwx,nimbus,spring] [--out FILE]

Needs python3, go, java and mvn for their verifiers, and fetches the libraries. About 2 minutes. Exit code 2: a verifier refuses a token that the
table in docs/guides/protect-an-api.md says it accepts, or could not be tried because a program is missing.
`;

/** A token, by the algorithm of the service that signed it. */
interface Sample {
  readonly algorithm: string;
  readonly issuer: string;
  readonly token: string;
}

interface Verifier {
  readonly name: string;
  readonly needs: readonly string[];
  /** Algorithms that it does not know. */
  readonly unknown: readonly string[];
  /** Files in bench/clients and where they go; absent: it runs in this process. */
  readonly files?: Readonly<Record<string, string>>;
  readonly prepare?: readonly Step[];
  readonly verify?: Step;
}

const goModule = 'github.com/lestrrat-go/jwx/v3@v3.0.12';
const compileJava: Step = ['mvn', '-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath'];
const javaFiles = { 'Verify.java': 'src/main/java/Verify.java', 'verify-pom.xml': 'pom.xml' };
const runJava = (library: string): Step => [
  ...(['sh', '-c', 'exec java -cp "target/classes:$(cat classpath)" Verify "$@"', 'sh'] as const),
  library,
];

const verifiers: readonly Verifier[] = [
  { name: 'jose', needs: [], unknown: [] },
  {
    name: 'pyjwt',
    needs: ['python3'],
    unknown: ['Ed25519'],
    files: { 'verify.py': 'verify.py' },
    prepare: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '-q', 'pyjwt==2.10.1', 'cryptography'],
    ],
    verify: ['venv/bin/python', 'verify.py'],
  },
  {
    name: 'jwx',
    needs: ['go'],
    unknown: ['Ed25519'],
    files: { 'verify.go': 'main.go' },
    prepare: [
      ['go', 'mod', 'init', 'example.com/verify'],
      ['go', 'get', goModule],
      ['go', 'mod', 'tidy'],
      ['go', 'build', '-o', 'verify', '.'],
    ],
    verify: ['./verify'],
  },
  {
    name: 'nimbus',
    needs: ['javac', 'mvn'],
    unknown: ['Ed25519'],
    files: javaFiles,
    prepare: [compileJava],
    verify: runJava('nimbus'),
  },
  {
    name: 'spring',
    needs: ['javac', 'mvn'],
    unknown: ['EdDSA', 'Ed25519'],
    files: javaFiles,
    prepare: [compileJava],
    verify: runJava('spring'),
  },
];

const withJose = async (samples: readonly Sample[]): Promise<string> => {
  const lines = samples.map(async ({ algorithm, issuer, token }) => {
    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
    const expected = { issuer, audience: issuer, algorithms: [algorithm], typ: 'at+jwt' };
    return jwtVerify(token, keys, expected).then(
      () => `${algorithm} accepted`,
      (error: Error) => `${algorithm} ${error.message}`,
    );
  });
  return (await Promise.all(lines)).join('\n');
};

/** The lines that a verifier prints: an algorithm, and `accepted` or the reason of a refusal. */
const verdicts = async (verifier: Verifier, folder: string, samples: readonly Sample[]): Promise<string> => {
  const { name, needs, files = {}, prepare = [], verify } = verifier;
  const missing = missingPrograms(needs);
  if (missing.length > 0) return `not tried: there is no ${missing.join(', ')} on this machine`;
  say(name);
  if (verify === undefined) return withJose(samples);
  for (const [from, to] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(join(root, 'bench/clients', from), join(folder, to));
  }
  const lines = samples.map(({ algorithm, issuer, token }) => `${algorithm} ${issuer} ${token}\n`);
  writeFileSync(join(folder, 'samples'), lines.join(''));
  const ended = runSteps(folder, [...prepare, [...verify, 'samples']]);
  return 'failed' in ended ? ended.failed : ended.output;
};

await runBench({
  help,
  options: { only: choices(verifiers.map(({ name }) => name)) },
  measures: 'counts',
  run: async ({ values: { only } }, stack) => {
    const tried = verifiers.filter(({ name }) => only.includes(name));
    const samples = await Promise.all(
      algorithmNames.map(async (algorithm) => {
        // The issuer names the port, and verifiers find the keys by the issuer.
        const { url } = await startServiceOn(stack, { SIGNING_ALGORITHM: algorithm, PORT: await freePort() });
        const { access } = await signUp(url, 'verified@example.com');
        return { algorithm, issuer: url, token: access };
      }),
    );
    const missed: string[] = [];
    const rows: (readonly string[])[] = [];
    for (const verifier of tried) {
      const output = await verdicts(verifier, folderOn(stack), samples);
      const said = (algorithm: string): string =>
        new RegExp(`^${algorithm} (.*)$`, 'm').exec(output)?.[1] ?? `no verdict: ${output.trim()}`;
      for (const algorithm of algorithmNames)
        if (!verifier.unknown.includes(algorithm) && said(algorithm) !== 'accepted')
          missed.push(`${verifier.name} refuses ${algorithm}: ${said(algorithm)}`);
      rows.push([verifier.name, ...algorithmNames.map((name) => (said(name) === 'accepted' ? 'yes' : 'no'))]);
      for (const algorithm of verifier.unknown) say(`${verifier.name}, ${algorithm}: ${said(algorithm)}`);
    }
    return { figures: { rows }, table: table(['verifier', ...algorithmNames], rows), missed };
  },
});
