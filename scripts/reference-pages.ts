/**
 * Writes the pages of `docs/reference/`, and the list of metrics, from the tables in the code.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A generated page. */
export interface ReferencePage {
  /** Path from the root. */
  readonly path: string;
  /** The file whose table it shows. */
  readonly source: string;
  readonly content: string;
}

interface ErrorRow {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly challenge?: string;
}

interface OptionRow {
  readonly name: string;
  readonly kind: 'number' | 'text' | 'choice';
  readonly description: string;
  readonly default: string | number | undefined;
  readonly defaultText?: string;
  readonly secret?: boolean;
  readonly unit?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly string[];
  readonly patternText?: string;
}

interface MetricRow {
  readonly kind: string;
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  readonly openLabels?: readonly string[];
  readonly isOfScrape?: boolean;
}

interface EventRow {
  readonly sentence: string;
  readonly actors: string;
  readonly reasons: Readonly<Record<string, { readonly sentence: string; readonly ends?: string }>>;
}

const code = (value: string | number): string => `\`${value}\``;

/** Pads the columns as the formatter does, so that it leaves the page alone. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => [...(row[column] ?? '')].length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '') + ' '.repeat(width - [...(row[column] ?? '')].length)).join(' | ')} |
`;
  const [first = [], ...others] = cells;
  return [first, widths.map((width) => '-'.repeat(width)), ...others].map(line).join('');
};

const page = (title: string, source: string, introduction: string, body: string): string =>
  `# ${title}\n\n<!-- Generated from ${source} by "npm run ok -- docs --write". -->\n\n${introduction}\n\n${body}`;

const errorsPage = (errorTable: Readonly<Record<string, ErrorRow>>, source: string): string => {
  const rows = Object.entries(errorTable)
    .sort(([a, { status: first }], [b, { status: second }]) => first - second || (a < b ? -1 : 1))
    .map(([name, { status, title, retryable, challenge }]) => [
      code(name),
      String(status),
      title,
      retryable ? 'yes' : 'no',
      challenge === undefined ? '' : challenge === 'none' ? 'bare' : code(challenge),
    ]);
  return page(
    'Errors',
    source,
    'Every error is a problem detail (RFC 9457, `application/problem+json`) whose `code` is one of these. Codes never change their ' +
      'meaning; titles may be reworded.\n\n' +
      '- **retry**: the same request may succeed later, unchanged. Where the answer has `Retry-After`, wait that long.\n' +
      '- **challenge**: the answer carries `WWW-Authenticate: Bearer` with this `error` (RFC 6750 section 3.1); bare: without one.',
    table(['code', 'status', 'title', 'retry', 'challenge'], rows),
  );
};

const allowed = (option: OptionRow): string => {
  switch (option.kind) {
    case 'number':
      return `${option.minimum} to ${option.maximum} ${option.unit}`;
    case 'choice':
      return (option.choices ?? []).map(code).join(', ');
    case 'text':
      return option.patternText ?? 'text';
  }
};

const defaultOf = ({ default: value, defaultText }: OptionRow): string => {
  if (defaultText !== undefined) return defaultText;
  return value === undefined ? 'none' : code(value);
};

const configurationPage = (options: Readonly<Record<string, OptionRow>>, source: string): string => {
  const rows = Object.values(options).map((option) => [
    code(option.name),
    code(`--${option.name.toLowerCase().replaceAll('_', '-')}${option.secret === true ? '-file' : ''}`),
    defaultOf(option),
    allowed(option),
    option.description,
  ]);
  return page(
    'Configuration',
    source,
    'Flags win over the environment, the environment over the file given with `--config` (lines of `NAME=value`). A value that is not ' +
      'allowed stops the start and names itself. Space and quotes around a value are taken off, and an empty value is none. In the file, a value with `#` needs quotes.\n\n' +
      'Secrets have no flag, because every user of a machine can read the flags of a process. Each may stand in a file: ' +
      '`DATABASE_URL_FILE=/run/secrets/database-url`, or `--database-url-file`. The file is read at each start, without the line ends at its end.',
    table(['name', 'flag', 'default', 'allowed', 'what it does'], rows),
  );
};

const labelsOf = ({ labels = {}, openLabels = [], isOfScrape }: MetricRow): string =>
  [
    ...(isOfScrape === true ? [] : [code('worker')]),
    ...Object.entries(labels).map(([label, values]) => `${code(label)}: ${values.join(', ')}`),
    ...openLabels.map(code),
  ].join('; ');

const metricsPage = (metricTable: Readonly<Record<string, MetricRow>>, source: string): string => {
  const rows = Object.values(metricTable).map((metric) => [
    code(metric.name),
    metric.kind,
    metric.unit,
    labelsOf(metric),
    metric.help,
  ]);
  return page(
    'Metrics',
    source,
    '`GET /metrics` answers in the text format of Prometheus, without a key: keep it on loopback or in a private network (`OPERATE_HOST`, ' +
      '`OPERATE_PORT`). It holds no token, password, email address or other text that a client sent, and the number of series is bounded.\n\n' +
      'Whichever worker is asked shows all of its machine: each series carries `worker`, its number. A worker that does not answer within ' +
      'half a second is left out; then `catalytic_workers_reporting` is below `catalytic_workers`. A worker that was replaced counts from ' +
      'zero. [What to watch](revocation.md#what-to-watch) says which of them to alert on.\n\n' +
      '```yaml\nscrape_configs:\n  - job_name: catalytic\n    static_configs:\n      - targets: ["127.0.0.1:9000"]\n```',
    table(['name', 'kind', 'unit', 'labels', 'what it says'], rows),
  );
};

const endsWords: Readonly<Record<string, string>> = {
  session: 'its session',
  account: 'every session of the account',
  tenant: 'every session of the tenant',
  deployment: 'every session',
};

const auditPage = (auditEvents: Readonly<Record<string, EventRow>>, source: string): string => {
  const rows = Object.entries(auditEvents).flatMap(([event, { sentence, actors, reasons }]) =>
    Object.entries(reasons).map(([reason, { sentence: why, ends }]) => [
      code(event),
      code(reason),
      `${sentence} ${why}`,
      ends === undefined ? '' : (endsWords[ends] ?? ends),
      actors,
    ]),
  );
  return page(
    'Events of the audit trail',
    source,
    'Every row has one of these events, named after the OWASP logging vocabulary, and one of its reasons. Neither ever changes its meaning. ' +
      '[The audit trail](../operating/audit.md) says how to read it, and what is not in it.\n\n' +
      '- **ends**: what is signed out by it.\n' +
      '- **actor**: `self`, the client of the request; `key:ID`, an admin key; `cli`, the command line; `system`, the service by itself.',
    table(['event', 'reason', 'what it says', 'ends', 'actor'], rows),
  );
};

const load = async (root: string, source: string): Promise<Record<string, unknown> | undefined> => {
  const file = join(root, source);
  return existsSync(file) ? ((await import(pathToFileURL(file).href)) as Record<string, unknown>) : undefined;
};

/** Makes every page whose table exists in this tree. */
export const referencePages = async (root: string): Promise<ReferencePage[]> => {
  const pages: ReferencePage[] = [];
  const errorsSource = 'packages/protocol/src/errors.ts';
  const errors = await load(root, errorsSource);
  if (errors !== undefined)
    pages.push({
      path: 'docs/reference/errors.md',
      source: errorsSource,
      content: errorsPage(errors['errorTable'] as Record<string, ErrorRow>, errorsSource),
    });
  const optionsSource = 'packages/server/src/config/options.ts';
  const options = await load(root, optionsSource);
  if (options !== undefined)
    pages.push({
      path: 'docs/reference/configuration.md',
      source: optionsSource,
      content: configurationPage(options['options'] as Record<string, OptionRow>, optionsSource),
    });
  const metricsSource = 'packages/server/src/telemetry/metric-table.ts';
  const metrics = await load(root, metricsSource);
  if (metrics !== undefined)
    pages.push({
      path: 'docs/operating/metrics.md',
      source: metricsSource,
      content: metricsPage(metrics['metricTable'] as Record<string, MetricRow>, metricsSource),
    });
  const eventsSource = 'packages/server/src/features/audit/events.ts';
  const events = await load(root, eventsSource);
  if (events !== undefined)
    pages.push({
      path: 'docs/reference/audit-events.md',
      source: eventsSource,
      content: auditPage(events['auditEvents'] as Record<string, EventRow>, eventsSource),
    });
  return pages;
};
