/**
 * Reads Prometheus' text format: only as much of it as the lab needs, and nothing of it on trust.
 * @module
 */

/** One sample. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Far more lines than any service of ours has; further lines are not read. */
const linesMax = 20_000;

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)/;
const labelPair = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));

/**
 * Parses an answer of `/metrics`. Lines that are no sample, or whose value is no finite number, are
 * left out.
 * @param isWanted tells by their names the samples that are kept
 */
export const parsePrometheus = (text: string, isWanted: (name: string) => boolean): readonly Sample[] =>
  text
    .split('\n', linesMax)
    .flatMap((line) => {
      const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? [];
      if (name === '' || !isWanted(name)) return [];
      const pairs = [...labels.matchAll(labelPair)].map(([, key = '', content = '']) => [key, unescaped(content)]);
      return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
    })
    .filter(({ value }) => Number.isFinite(value));
