/**
 * Do clients generated from /openapi.json compile, and can they sign in, verify and sign out?
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { get, goodPassword, signUp } from '../tests/harness/client.ts';
import { runBench } from './harness/bench.ts';
import { table } from './harness/figures.ts';
import { choices, RefusedError } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, root, startServiceOn } from './harness/services.ts';
import { cacheFolder, missingPrograms, runSteps, type Step } from './harness/toolchains.ts';

const generator = 'openapi-generator-cli';
const generatorVersion = '7.12.0';

const help = `Generates clients in five languages with ${generator} ${generatorVersion}, compiles each, and uses it: it signs in, verifies, signs out, and is refused then.

  npm run bench -- generated-clients [--only go,rust,python,java,typescript] [--out FILE]

Needs java and mvn for all of them, and go, cargo, python3 for their languages; fetches the generator and the libraries of the clients. About 5
minutes. Exit code 2: a client does not compile, fails, or could not be tried because a program is missing.
`;

interface Language {
  readonly name: string;
  /** Programs beside those of the generator. */
  readonly needs: readonly string[];
  /** The generator's words. */
  readonly generate: readonly [string, ...string[]];
  /** The program that uses the client: its file in bench/clients, and where it goes. */
  readonly program: readonly [from: string, to: string];
  readonly compile: readonly Step[];
  readonly use: Step;
}

/** Where Rust puts what it compiles: one place for all runs. */
const rustTarget = { CARGO_TARGET_DIR: cacheFolder('generated-clients/rust') };

const languages: readonly Language[] = [
  {
    name: 'go',
    needs: ['go'],
    generate: [
      'go',
      '-p',
      'packageName=client',
      ...['--git-host', 'example.com', '--git-user-id', 'catalytic', '--git-repo-id', 'client'],
    ],
    program: ['use.go', 'cmd/use/main.go'],
    compile: [
      ['go', 'mod', 'tidy'],
      ['go', 'build', '-o', 'use', './cmd/use'],
      ['go', 'vet', '.'],
    ],
    use: ['./use'],
  },
  {
    name: 'rust',
    needs: ['cargo'],
    generate: ['rust', '-p', 'packageName=client,supportAsync=false'],
    program: ['use.rs', 'examples/use.rs'],
    compile: [['cargo', 'build', '-q', '--example', 'use']],
    use: ['cargo', 'run', '-q', '--example', 'use', '--'],
  },
  {
    name: 'python',
    needs: ['python3'],
    generate: ['python', '-p', 'packageName=catalytic_client'],
    program: ['use.py', 'use.py'],
    compile: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '-q', '-r', 'requirements.txt'],
      ['venv/bin/python', '-m', 'compileall', '-q', 'catalytic_client'],
    ],
    use: ['venv/bin/python', 'use.py'],
  },
  {
    name: 'java',
    needs: ['javac'],
    generate: ['java', '-p', 'invokerPackage=client,apiPackage=client.api,modelPackage=client.model'],
    program: ['Use.java', 'src/main/java/Use.java'],
    compile: [['mvn', '-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath']],
    use: ['sh', '-c', 'exec java -cp "target/classes:$(cat classpath)" Use "$@"', 'sh'],
  },
  {
    name: 'typescript',
    needs: [],
    generate: ['typescript-fetch', '-p', 'importFileExtension=.js'],
    program: ['use.ts.txt', 'use.ts'],
    compile: [
      [
        join(root, 'node_modules/.bin/tsc'),
        ...['--outDir', 'out', '--target', 'es2022', '--module', 'nodenext', 'use.ts'],
        ...['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')],
      ],
    ],
    use: [process.execPath, 'out/use.js'],
  },
];

/** The generator, fetched once. */
const generatorFile = (): string => {
  const folder = cacheFolder('generated-clients');
  const file = join(folder, `${generator}-${generatorVersion}.jar`);
  if (existsSync(file)) return file;
  say(`Fetching ${generator} ${generatorVersion}`);
  const artifact = `-Dartifact=org.openapitools:${generator}:${generatorVersion}`;
  const fetched = runSteps(folder, [['mvn', '-q', '-B', 'dependency:copy', artifact, `-DoutputDirectory=${folder}`]]);
  if ('failed' in fetched) throw new RefusedError(`Cannot fetch ${generator}: ${fetched.failed}`);
  return file;
};

/** What became of a language: `used`, or the first thing that went wrong. */
const tryOut = (language: Language, folder: string, jar: string, words: readonly string[]): string => {
  const { name, needs, generate, program, compile, use } = language;
  const missing = missingPrograms(needs);
  if (missing.length > 0) return `not tried: there is no ${missing.join(', ')} on this machine`;
  say(`${name}: generate, compile and use`);
  const document = ['-i', join(folder, 'openapi.json'), '-o', join(folder, name)];
  const generated = runSteps(folder, [['java', '-jar', jar, 'generate', '-g', ...generate, ...document]]);
  if ('failed' in generated) return `is not generated: ${generated.failed}`;
  const client = join(folder, name);
  const [from, to] = program;
  mkdirSync(dirname(join(client, to)), { recursive: true });
  copyFileSync(join(root, 'bench/clients', from), join(client, to));
  // Without it the generated TypeScript would be taken for CommonJS.
  if (name === 'typescript') writeFileSync(join(client, 'package.json'), '{"type":"module"}\n');
  const compiled = runSteps(client, compile, rustTarget);
  if ('failed' in compiled) return `does not compile: ${compiled.failed}`;
  const used = runSteps(client, [[...use, ...words]], rustTarget);
  return 'failed' in used ? `fails: ${used.failed}` : used.output.trim();
};

await runBench({
  help,
  options: { only: choices(languages.map(({ name }) => name)) },
  measures: 'counts',
  run: async ({ values: { only } }, stack) => {
    const tried = languages.filter(({ name }) => only.includes(name));
    const missing = missingPrograms(['java', 'mvn']);
    if (missing.length > 0) throw new RefusedError(`Cannot generate clients: there is no ${missing.join(', ')} here`);
    const jar = generatorFile();
    const { url } = await startServiceOn(stack, {});
    const email = 'generated@example.com';
    await signUp(url, email);
    const folder = folderOn(stack);
    writeFileSync(join(folder, 'openapi.json'), (await get(`${url}/openapi.json`)).text);
    const rows = tried.map((language) => ({
      language: language.name,
      result: tryOut(language, folder, jar, [url, email, goodPassword]),
    }));
    return {
      figures: { generator: generatorVersion, rows },
      table: table(
        ['client', 'generated, compiled, and'],
        rows.map(({ language, result }) => [language, result.replaceAll('\n', ' ')]),
      ),
      missed: rows.filter(({ result }) => result !== 'used').map(({ language, result }) => `${language}: ${result}`),
    };
  },
});
