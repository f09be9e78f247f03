/**
 * A reporter for `node --test`: one line for each test file, every failure in full, and the closing lines of Node's own `spec` reporter.
 * It shows the output of a file only when the file failed.
 * @module
 */
import { relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { TestEvent } from 'node:test/reporters';
import { spec } from 'node:test/reporters';

/** Most characters shown of the end of a failed file's output. */
const printedMax = 20_000;

async function* shorten(source: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  /** The output of each file so far. */
  const printed = new Map<string, string>();
  const printedBy = (file: string): string => printed.get(resolve(file)) ?? '';
  const add = (file: string, message: string): void => {
    printed.set(resolve(file), (printedBy(file) + message).slice(-printedMax));
  };
  for await (const event of source) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      const { file, message } = event.data;
      add(file, message);
    } else if (event.type === 'test:summary' && event.data.file !== undefined) {
      const { file, counts, duration_ms, success } = event.data;
      const name = relative(process.cwd(), file);
      const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`;
      const line = `${success ? '✔' : '✖'} ${name}  ${counts.tests} tests${skipped}, ${Math.round(duration_ms)} ms\n`;
      const message = success ? line : `${line}${printedBy(file)}`;
      yield { type: 'test:stdout', data: { file, message } };
    } else if (event.type === 'test:fail' && resolve(event.data.name) === event.data.file) {
      // The file itself: it ended before it could report its tests.
      const { file } = event.data;
      yield { type: 'test:stdout', data: { file, message: printedBy(file) } };
      yield event;
    } else if (event.type === 'test:fail' || event.type === 'test:diagnostic' || event.type === 'test:summary')
      yield event;
  }
}

/** The reporter, as `node --test --test-reporter` wants it. */
export default async function* shortReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const chunk of Readable.from(shorten(source)).compose(new spec())) yield String(chunk);
}
