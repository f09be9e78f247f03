/**
 * Each rule of the documentation, seen failing on a planted fault.
 * @module
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkDocs } from '../../scripts/docs.ts';
import { plant, run } from './fixture.ts';

const errors = `/** Codes. */
export const errorTable = {
  token_expired: { status: 401, title: 'It has expired', retryable: false, challenge: 'invalid_token' },
  body_invalid: { status: 400, title: 'Wrong a|b', retryable: false },
};
`;
const options = `/** Options. */
export const options = {
  port: { kind: 'number', name: 'PORT', unit: 'port', minimum: 0, maximum: 65535, default: 8000, description: 'Where.' },
  key: { kind: 'text', name: 'MASTER_KEY', default: undefined, secret: true, patternText: 'base64', description: 'Seals.' },
  level: { kind: 'choice', name: 'LOG_LEVEL', choices: ['info', 'warn'], default: 'info', description: 'Least severe.' },
};
`;
const metrics = `/** Metrics. */
export const metricTable = {
  age: { kind: 'gauge', name: 'age_seconds', unit: 'seconds', help: 'How old.', labels: { of: ['a', 'b'] } },
  asked: { kind: 'gauge', name: 'asked', unit: 'count', help: 'How many.', isOfScrape: true },
};
`;

const broken = async (files: Readonly<Record<string, string>>): Promise<string[]> => {
  using tree = plant({ 'package.json': '{"type":"module","scripts":{"ok":"true"}}', ...files });
  const findings = await checkDocs(tree.root);
  return findings.map(({ file, line, rule, message }) => `${file}:${line ?? ''} ${rule}: ${message}`);
};

describe('docs', () => {
  test('a link must lead to a file and to a heading of it', async () => {
    const files = {
      'docs/guide.md': '# Guide\n\n## What `PORT` does, and *why*\n\n## Twice\n\n## Twice\n',
      'README.md': [
        '# Home',
        '[file](docs/guide.md) [folder](docs/) [web](https://example.com/none) [here](#home) <mail@example.com>',
        '[heading](docs/guide.md#what-port-does-and-why) [second](docs/guide.md#twice-1) ![image](docs/none.png)',
        '[bad file](docs/none.md "title") [bad heading](docs/guide.md#none)',
        '[bad here](#nowhere)',
        '[outside](../secret.md)',
        '`[code](none.md)`',
        '```md',
        '[fenced](none.md)',
        '```',
        '[defined]: docs/gone.md',
      ].join('\n'),
    };
    assert.deepEqual(await broken(files), [
      'README.md:3 link: docs/none.png leads nowhere: correct the path',
      'README.md:4 link: docs/none.md leads nowhere: correct the path',
      'README.md:4 link: docs/guide.md has no heading #none: correct the anchor',
      'README.md:5 link: README.md has no heading #nowhere: correct the anchor',
      'README.md:6 link: ../secret.md leads nowhere: correct the path',
      'README.md:11 link: docs/gone.md leads nowhere: correct the path',
    ]);
  });

  test('a script that is named must exist', async () => {
    const unknown = ['npm run', 'launch'].join(' ');
    const files = {
      'README.md': `Run \`npm run ok\` or \`npm run --silent ok\`.\n\n\`\`\`sh\n${unknown} -- --fast\n\`\`\`\n`,
      'packages/a/src/help.ts': `/** Help. */\nexport const help = 'use ${unknown}';\n`,
    };
    assert.deepEqual(await broken(files), [
      'README.md:4 script: package.json has no script "launch"',
      'packages/a/src/help.ts:2 script: package.json has no script "launch"',
    ]);
  });

  test('a shell block that is not run says why, with a known reason', async () => {
    const block = (remark: string): string => `${remark}\n\`\`\`sh\ntrue\n\`\`\`\n`;
    const guide = [
      '',
      '<!-- shell: serves -->',
      '<!-- shell: not run, takes minutes -->',
      '<!-- shell: not run, bored -->',
    ];
    const found = await broken({
      'docs/guides/a.md': guide.map(block).join('\n'),
      'docs/operating/a.md': block('<!-- shell: not run, bored -->'),
    });
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', /^docs\/guides\/a\.md:17 shell: "shell: not run, bored" is none of .*takes minutes/);
  });

  test('an error code and a metric must be listed', async () => {
    const said =
      'It answers 503 `store_away`, or 503 `store_lost`; see `ages_total{of="a"}` and `catalytic_old{of="a"}`.\n';
    const files = { 'docs/a.md': said, 'docs/reports/a.md': said, 'docs/reference/errors.md': '`store_away`\n' };
    assert.deepEqual(await broken(files), [
      'docs/a.md:1 name: docs/reference/errors.md has no error code store_lost',
      'docs/a.md:1 name: docs/operating/metrics.md has no metric catalytic_old',
    ]);
  });

  test('a source file that the tour names must be there', async () => {
    const files = {
      'packages/a/src/b/c.ts': '/** C. */\nexport const c = 1;\n',
      'ARCHITECTURE.md': '`a/b/c.ts`, `b/c.ts`, `c.ts` and `packages/a/src/b/c.ts`\n`b/d.ts` and `<verb-noun>.ts`\n',
      'docs/guides/a.md': 'Save it as `mine.ts`.\n',
    };
    assert.deepEqual(await broken(files), ['ARCHITECTURE.md:2 source: there is no b/d.ts']);
  });

  test('the page of the API names every path, and no other', async () => {
    const files = {
      'packages/protocol/src/paths.ts':
        "/** Paths. */\nexport const paths = { login: '/auth/login', me: '/auth/me' } as const;\n",
    };
    assert.deepEqual(await broken(files), ['docs/reference/api.md: route: it is missing']);
    const page = '| `POST /auth/login` | signs in |\n| `GET /auth/you` | is gone |\n';
    assert.deepEqual(await broken({ ...files, 'docs/reference/api.md': page }), [
      'docs/reference/api.md: route: /auth/me is missing',
      'docs/reference/api.md: route: /auth/you is not in packages/protocol/src/paths.ts: there is no such route',
    ]);
  });

  test('the files between the socket and the database are counted, and each imports the next', async () => {
    const chain = (count: number, files: string): Record<string, string> => ({
      'ARCHITECTURE.md': `# A\n\nFiles between the socket and the database, ${count} of ours: ${files}\n\n\`rows.ts\` is told of elsewhere.\n`,
      'packages/server/src/http/server.ts': "/** A. @module */\nimport '../features/log-in.ts';\n",
      'packages/server/src/features/log-in.ts': "/** B. @module */\nimport type { Store } from './store.ts';\n",
      'packages/server/src/features/store.ts': '/** C. @module */\n/** D. */\nexport type Store = string;\n',
      'packages/server/src/stores/rows.ts': "/** E. @module */\nimport type { Store } from '../features/store.ts';\n",
    });
    const names = '`http/server.ts` → `features/log-in.ts` → `features/store.ts`\n← `stores/rows.ts`';
    assert.deepEqual(await broken(chain(4, names)), []);
    assert.deepEqual(await broken(chain(3, names)), ['ARCHITECTURE.md:3 chain: it says 3 files and names 4']);
    assert.deepEqual(await broken(chain(2, '`http/server.ts` → `features/store.ts`')), [
      'ARCHITECTURE.md:3 chain: http/server.ts does not import features/store.ts',
    ]);
    assert.deepEqual(await broken(chain(2, '`features/gone.ts` → `features/store.ts`')), [
      'ARCHITECTURE.md:3 chain: there is no packages/server/src/features/gone.ts',
      'ARCHITECTURE.md:3 source: there is no features/gone.ts',
    ]);
  });

  test('packages have the version at the top of the changelog', async () => {
    const files = {
      'CHANGELOG.md': '# Changelog\n\n## [0.2.0] - 2026-11-30\n\n## [0.1.0] - 2026-11-24\n',
      'packages/a/package.json': '{"name":"@x/a","version":"0.2.0","dependencies":{"@x/b":"0.1.0","other":"1.0.0"}}',
      'packages/b/package.json': '{"name":"@x/b","version":"0.1.0"}',
    };
    const rest = 'the newest version in CHANGELOG.md is 0.2.0: make them equal';
    assert.deepEqual(await broken(files), [
      `packages/a/package.json: version: @x/b is 0.1.0, ${rest}`,
      `packages/b/package.json: version: @x/b is 0.1.0, ${rest}`,
    ]);
  });

  test('an export of a package needs a docstring, a test does not', async () => {
    const files = {
      'packages/a/src/a.ts': '/** About.\n * @module\n */\nexport const bare = 1;\n',
      'packages/a/src/a.test.ts': 'export const bare = 1;\n',
      'scripts/a.ts': 'export const bare = 1;\n',
    };
    const [first, ...others] = await broken(files);
    assert.match(first ?? '', /^packages\/a\/src\/a\.ts:4 docstring: bare is exported without a docstring/);
    assert.deepEqual(others, []);
  });

  test('pages that differ from their tables fail until they are regenerated', async () => {
    using tree = plant({
      'package.json': '{"type":"module","scripts":{"ok":"true"}}',
      'packages/protocol/src/errors.ts': errors,
      'packages/server/src/config/options.ts': options,
      'packages/server/src/telemetry/metric-table.ts': metrics,
      'docs/operating/revocation.md': '# Revocation\n\n## What to watch\n',
    });
    const rules = async () => (await checkDocs(tree.root)).map(({ file, rule }) => `${file} ${rule}`);
    const missing = [
      'docs/reference/errors.md reference',
      'docs/reference/configuration.md reference',
      'docs/operating/metrics.md reference',
    ];
    assert.deepEqual(await rules(), missing);

    const written = await run('scripts/docs.ts', [tree.root, '--write']);
    assert.equal(written.code, 0, written.stdout);
    assert.match(written.stdout, /wrote docs\/reference\/errors\.md\nwrote docs\/reference\/configuration\.md/);
    assert.deepEqual(await rules(), []);
    const page = (name: string): string => readFileSync(join(tree.root, 'docs/reference', name), 'utf8');
    assert.match(
      page('errors.md'),
      /\| `body_invalid` {2}\| 400 {4}\| Wrong a\\\|b {5}\| no {4}\| {17}\|\n\| `token_expired` \|/,
    );
    assert.match(page('configuration.md'), /\| `PORT` .*\| `--port` .*\| `8000` .*\| 0 to 65535 port .*\| Where\./);
    assert.match(
      page('../operating/metrics.md'),
      /`age_seconds` \| gauge \| seconds \| `worker`; `of`: a, b \| How old\./,
    );
    assert.match(page('../operating/metrics.md'), /`asked` {7}\| gauge \| count {3}\| +\| How many\./);
    assert.match(page('configuration.md'), /\| `MASTER_KEY` \| `--master-key-file` .*\| base64/);

    tree.write({ 'docs/reference/errors.md': page('errors.md').replace('It has expired', 'It is over') });
    const stale = await run('scripts/docs.ts', [tree.root]);
    assert.equal(stale.code, 1);
    assert.match(
      stale.stdout,
      /docs\/reference\/errors\.md {2}reference: it differs from packages\/protocol\/src\/errors\.ts/,
    );
    assert.equal(existsSync(join(tree.root, 'docs/reference/errors.md')), true);
  });
});
